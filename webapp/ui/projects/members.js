// Who sees a project, and as what, in a dialog.

import { formDialog, sentJson } from "../shared/dialog.js";
import { node } from "../shared/dom.js";
import { getJson, request } from "../shared/net.js";
import { t } from "../shared/texts.js";
import { roleOptions } from "../users/rows.js";

const NAMES = "al-user-names";

// changed: called when it was saved.
export async function editMembers(project, changed) {
  const path = `/projects/${project.id}/members`;
  const [now, names] = await Promise.all([getJson(path), userNames()]);
  const only = node("input", { type: "checkbox", checked: now.members_only, "data-testid": "members-only" });
  const list = node("ul", { class: "al-members", "data-testid": "members-list" }, ...Object.entries(now.members).map(([name, role]) => memberRow(name, role)));
  const add = node("button", { type: "button", class: "al-button al-small", "data-testid": "members-add" }, t("members.add"));
  add.addEventListener("click", () => {
    list.append(memberRow("", "annotator"));
    list.lastElementChild.querySelector("input").focus();
  });
  formDialog({
    title: t("projects.members.label", { name: project.name }),
    testid: "members",
    saveId: "members-save",
    save: t("save"),
    parts: [
      node("p", { class: "al-muted" }, t("members.about")),
      node("label", { class: "al-check" }, only, t("members.only")),
      node("datalist", { id: NAMES }, ...names.map((name) => node("option", { value: name }))),
      list,
      node("div", {}, add),
    ],
    send: async () => {
      const members = Object.fromEntries([...list.children].map((row) => [row.querySelector("input").value, row.querySelector("select").value]));
      await request(path, sentJson("PUT", { members_only: only.checked, members }));
      changed();
    },
  });
}

// To choose from; admins of the project alone know their people by name.
async function userNames() {
  const { role } = await getJson("/me");
  return role === "admin" ? (await getJson("/users")).map(({ name }) => name) : [];
}

function memberRow(name, role) {
  const field = node("input", { class: "al-input", value: name, required: true, maxlength: 100, list: NAMES, autocomplete: "off", "aria-label": t("members.name"), placeholder: t("members.name"), "data-testid": "member-name" });
  const choice = node("select", { class: "al-select", "aria-label": t("members.role"), "data-testid": "member-role" }, ...roleOptions(role));
  const remove = node("button", { type: "button", class: "al-button al-small", "data-testid": "member-remove" }, t("members.remove"));
  const row = node("li", { "data-testid": "member" }, field, choice, remove);
  remove.addEventListener("click", () => row.remove());
  return row;
}
