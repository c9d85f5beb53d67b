// Another password for oneself, in a dialog; every browser that is signed in as one has to sign in again.

import { formDialog, sentJson } from "../shared/dialog.js";
import { node } from "../shared/dom.js";
import { request } from "../shared/net.js";
import { t } from "../shared/texts.js";

function passwordField(name, autocomplete) {
  const field = node("input", { class: "al-input", type: "password", name, autocomplete, required: true, maxlength: 500, "data-testid": `password-${name}` });
  return node("label", { class: "al-muted" }, t(`password.${name}`), field);
}

export function changePassword() {
  formDialog({
    title: t("password.title"),
    testid: "password",
    saveId: "password-save",
    save: t("password.save"),
    parts: [node("p", { class: "al-muted" }, t("password.about")), passwordField("old", "current-password"), passwordField("new", "new-password")],
    send: async (fields) => {
      await request("/me/password", sentJson("PUT", { old: fields.old.value, new: fields.new.value }));
      location.assign("/login");
    },
  });
}
