// A line for each account and for each token. `act` is what users.js does when a button is pressed.

import { node } from "../shared/dom.js";
import { LOCALE, t } from "../shared/texts.js";
import { reachWords } from "./token.js";

const ROLE_NAMES = ["viewer", "annotator", "admin"];
const AUDIT_COLUMNS = ["at", "user_name", "address", "action", "object"];
// What is in the audit log and no request of REST; requests are shown as they are.
const SIGNING_IN = { "signed in": "signed_in", "signed out": "signed_out", "log-in refused": "log_in_refused" };

export function roleOptions(chosen) {
  return ROLE_NAMES.map((role) => node("option", { value: role, selected: role === chosen }, t(`role.${role}`)));
}

function actionButton(word, name, label, does) {
  const button = node("button", { type: "button", class: "al-button al-small", "aria-label": `${word}: ${name}`, "data-testid": label }, word);
  button.addEventListener("click", does);
  return button;
}

export function userRow(user, tokens, act) {
  const facts = [user.disabled && t("users.disabled"), !user.has_password && t("users.tokens_only")].filter(Boolean).join(", ");
  const words = node("span", { class: "al-project-words" }, node("b", { class: "al-project-name" }, user.name), node("span", { class: "al-muted" }, facts));
  const role = node("select", { class: "al-select", "aria-label": t("users.role.label", { name: user.name }), "data-testid": "user-role" }, ...roleOptions(user.role));
  role.addEventListener("change", () => act.change(user, { role: role.value }));
  const able = t(user.disabled ? "users.enable" : "users.disable");
  const row = node("li", { "data-testid": "user-row", "data-name": user.name });
  const actions = node("span", { class: "al-project-actions" }, role,
    actionButton(t("users.new_password"), user.name, "user-password", () => askPassword(row, user, (password) => act.change(user, { password }))),
    actionButton(t("token.new"), user.name, "user-token", () => act.makeToken(user)),
    actionButton(able, user.name, "user-disable", () => act.change(user, { disabled: !user.disabled })));
  row.append(words, actions, ...tokens.map((token) => tokenLine(user, token, act)));
  return row;
}

function tokenLine(user, token, act) {
  const revoke = actionButton(t("token.revoke"), token.hint, "token-revoke", () => act.revoke(user, token));
  const words = [t("token.purpose", { hint: token.hint, purpose: token.name }), reachWords(token)].filter(Boolean).join(" · ");
  return node("div", { class: "al-token", "data-testid": "token" }, node("span", { class: "al-muted" }, words), revoke);
}

// A field in place of the row's buttons; Enter gives what was written to `use`, Escape leaves.
function askPassword(row, user, use) {
  const label = t("users.new_password.field", { name: user.name });
  const field = node("input", { class: "al-input", type: "password", required: true, maxlength: 500, "aria-label": label, placeholder: label, autocomplete: "new-password", "data-testid": "user-answer" });
  const form = node("form", { class: "al-project-rename" }, field, node("button", { class: "al-button al-small al-primary" }, t("save")));
  const actions = row.querySelector(".al-project-actions");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    use(field.value);
  });
  form.addEventListener("keydown", (event) => event.key === "Escape" && form.replaceWith(actions));
  actions.replaceWith(form);
  field.focus();
}

export function auditTable(entries) {
  const head = node("tr", {}, ...AUDIT_COLUMNS.map((column) => node("th", { scope: "col" }, t(`audit.column.${column}`))));
  const rows = entries.map((one) => node("tr", {}, ...AUDIT_COLUMNS.map((column) => node("td", {}, auditCell(column, one[column])))));
  return node("table", { class: "al-table" }, node("thead", {}, head), node("tbody", {}, ...rows));
}

function auditCell(column, value) {
  if (column === "at") return new Date(value).toLocaleString(LOCALE);
  return column === "action" && value in SIGNING_IN ? t(`audit.action.${SIGNING_IN[value]}`) : value;
}
