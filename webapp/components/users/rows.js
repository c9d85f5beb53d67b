// A line for each account and for each token. `act` is what users.js does when a button is pressed.

const ROLE_NAMES = ["viewer", "annotator", "admin"];

function roleOptions(chosen) {
  return ROLE_NAMES.map((role) => node("option", { value: role, selected: role === chosen }, role));
}

function actionButton(word, name, label, does) {
  const button = node("button", { type: "button", class: "al-button al-small", "aria-label": `${word}: ${name}`, "data-testid": label }, word);
  button.addEventListener("click", does);
  return button;
}

function userRow(user, tokens, act) {
  const facts = [user.disabled && WORDS.disabled, !user.has_password && WORDS.noPassword].filter(Boolean).join(", ");
  const words = node("span", { class: "al-project-words" }, node("b", { class: "al-project-name" }, user.name), node("span", { class: "al-muted" }, facts));
  const role = node("select", { class: "al-select", "aria-label": WORDS.roleOf(user.name), "data-testid": "user-role" }, ...roleOptions(user.role));
  role.addEventListener("change", () => act.change(user, { role: role.value }));
  const able = user.disabled ? WORDS.enable : WORDS.disable;
  const row = node("li", { "data-testid": "user-row", "data-name": user.name });
  const actions = node("span", { class: "al-project-actions" }, role,
    actionButton(WORDS.newPassword, user.name, "user-password", () => askIn(row, WORDS.passwordOf(user.name), "password", (password) => act.change(user, { password }))),
    actionButton(WORDS.newToken, user.name, "user-token", () => askIn(row, WORDS.tokenFor(user.name), "text", (purpose) => act.makeToken(user, purpose))),
    actionButton(able, user.name, "user-disable", () => act.change(user, { disabled: !user.disabled })));
  row.append(words, actions, ...tokens.map((token) => tokenLine(user, token, act)));
  return row;
}

function tokenLine(user, token, act) {
  const revoke = actionButton(WORDS.revoke, token.hint, "token-revoke", () => act.revoke(user, token));
  return node("div", { class: "al-token", "data-testid": "token" }, node("span", { class: "al-muted" }, WORDS.token(token.hint, token.name)), revoke);
}

// A field in place of the row's buttons; Enter gives what was written to `use`, Escape leaves.
function askIn(row, label, type, use) {
  const field = node("input", { class: "al-input", type, required: true, maxlength: type === "password" ? 500 : 100, "aria-label": label, placeholder: label, autocomplete: type === "password" ? "new-password" : "off", "data-testid": "user-answer" });
  const form = node("form", { class: "al-project-rename" }, field, node("button", { class: "al-button al-small al-primary" }, WORDS.save));
  const actions = row.querySelector(".al-project-actions");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    use(field.value);
  });
  form.addEventListener("keydown", (event) => event.key === "Escape" && form.replaceWith(actions));
  actions.replaceWith(form);
  field.focus();
}

function auditTable(entries) {
  const head = node("tr", {}, ...WORDS.columns.map((word) => node("th", { scope: "col" }, word)));
  const rows = entries.map((one) => node("tr", {}, ...[new Date(one.at).toLocaleString(), one.user_name, one.address, one.action, one.object].map((text) => node("td", {}, text))));
  return node("table", { class: "al-table" }, node("thead", {}, head), node("tbody", {}, ...rows));
}
