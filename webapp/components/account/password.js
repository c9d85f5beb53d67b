// Another password for oneself, in a dialog; every browser that is signed in as one has to sign in again.

function passwordField(name, autocomplete) {
  const field = node("input", { class: "al-input", type: "password", name, autocomplete, required: true, maxlength: 500, "data-testid": `password-${name}` });
  return node("label", { class: "al-muted" }, t(`password.${name}`), field);
}

function changePassword() {
  const failed = node("p", { class: "al-error-text", role: "alert", "data-testid": "password-error" });
  const cancel = node("button", { type: "button", class: "al-button" }, t("cancel"));
  const save = node("button", { class: "al-button al-primary", "data-testid": "password-save" }, t("password.save"));
  const form = node("form", { method: "dialog" }, node("h3", {}, t("password.title")), node("p", { class: "al-muted" }, t("password.about")),
    passwordField("old", "current-password"), passwordField("new", "new-password"), failed, node("div", { class: "al-dialog-buttons" }, cancel, save));
  const dialog = node("dialog", { class: "al-dialog al-note-dialog", "aria-label": t("password.title") }, form);
  cancel.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const headers = { "content-type": "application/json" };
      await request("/me/password", { method: "PUT", headers, body: JSON.stringify({ old: form.elements.old.value, new: form.elements.new.value }) });
      location.assign("/login");
    } catch (error) {
      failed.textContent = error.message;
    }
  });
  (document.querySelector(".gradio-container") ?? document.body).append(dialog);
  dialog.showModal();
}
