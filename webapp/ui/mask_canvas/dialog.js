// One question at a time: ask(dialog, {title, text, choices: {name: words}}) resolves to the chosen name, or "cancel".

import { node } from "../shared/dom.js";
import { t } from "../shared/texts.js";

export function ask(dialog, { title, text, choices }) {
  dialog.querySelector("[data-part=title]").textContent = title;
  dialog.querySelector("[data-part=text]").textContent = text;
  const buttons = Object.entries({ ...choices, cancel: t("cancel") }).map(([name, words], index) => {
    const style = index === 0 ? "al-button al-primary" : "al-button";
    return node("button", { type: "button", class: style, "data-testid": `dialog-${name}`, value: name }, words);
  });
  dialog.querySelector("[data-part=choices]").replaceChildren(...buttons);
  return new Promise((resolve) => {
    for (const button of buttons) {
      button.addEventListener("click", () => {
        resolve(button.value);
        dialog.close();
      });
    }
    // By Escape. The event of an earlier question's end may come late, when the next one is open already.
    dialog.onclose = () => !dialog.open && resolve("cancel");
    dialog.showModal();
  });
}
