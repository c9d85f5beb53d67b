// A form in a dialog, outside of what is drawn anew, so that writing is never interrupted.

import { node } from "./dom.js";
import { t } from "./texts.js";

// parts: elements of the form; send: does what the form is for, and throws what to say when it fails.
export function formDialog({ title, testid, saveId, save, parts, send }) {
  const failed = node("p", { class: "al-error-text", role: "alert", "data-testid": `${testid}-error` });
  const cancel = node("button", { type: "button", class: "al-button" }, t("cancel"));
  const button = node("button", { class: "al-button al-primary", "data-testid": saveId }, save);
  const form = node("form", { method: "dialog" }, node("h3", {}, title), ...parts, failed, node("div", { class: "al-dialog-buttons" }, cancel, button));
  const dialog = node("dialog", { class: "al-dialog al-note-dialog", "data-testid": `${testid}-dialog`, "aria-label": title }, form);
  cancel.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await send(form.elements);
      dialog.close();
    } catch (error) {
      failed.textContent = error.message;
    }
  });
  (document.querySelector(".gradio-container") ?? document.body).append(dialog);
  dialog.showModal();
}

export const sentJson = (method, body) => ({ method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
