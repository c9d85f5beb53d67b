// A new token, in a dialog: what it is for, how far it reaches, for which project, and until when.

import { startOf } from "../shared/dates.js";
import { formDialog } from "../shared/dialog.js";
import { node } from "../shared/dom.js";
import { getJson } from "../shared/net.js";
import { LOCALE, t } from "../shared/texts.js";

const SCOPES = ["all", "annotate", "read", "line"];

const labelled = (words, field) => node("label", { class: "al-muted" }, words, field);
const option = (value, words) => node("option", { value }, words);

function select(name, options) {
  return node("select", { class: "al-select", name, "data-testid": `token-${name}` }, ...options);
}

// make: takes what REST takes, and throws what to say when it fails.
export async function askForToken(user, make) {
  const projects = await getJson("/projects");
  const purpose = node("input", { class: "al-input", name: "purpose", required: true, maxlength: 100, autocomplete: "off", "data-testid": "token-purpose" });
  const ends = node("input", { class: "al-input", type: "date", name: "ends", "data-testid": "token-ends" });
  formDialog({
    title: t("token.title", { name: user.name }),
    testid: "token",
    saveId: "token-make",
    save: t("token.make"),
    parts: [
      labelled(t("token.purpose.field"), purpose),
      labelled(t("token.scope"), select("scope", SCOPES.map((scope) => option(scope, t(`token.scope.${scope}`))))),
      labelled(t("token.project"), select("project", [option("", t("token.project.all")), ...projects.map(({ name }) => option(name, name))])),
      labelled(t("token.ends"), ends),
    ],
    send: ({ purpose: { value: name }, scope, project, ends: { value: last } }) =>
      make({ name, scope: scope.value, project: project.value || null, ends_at: last ? startOf(last, 1) : null }),
  });
}

// What of its account's rights a token has, in a few words; empty where it has all of them.
export function reachWords({ scope, project, ends_at: endsAt }) {
  const until = endsAt && new Date(endsAt);
  const day = until && new Date(until - 1).toLocaleDateString(LOCALE);
  const ends = until && t(until > new Date() ? "token.until" : "token.ended", { day });
  return [scope !== "all" && scope, project && t("token.of_project", { name: project }), ends].filter(Boolean).join(", ");
}
