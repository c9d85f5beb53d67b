// Each language is called by its own name.

import { node } from "../shared/dom.js";
import { chooseLanguage, LANGUAGE, TEXTS } from "../shared/texts.js";

export function mount(element) {
  const languages = element.querySelector("[data-testid=language]");
  languages.append(...Object.keys(TEXTS).map((name) => node("option", { value: name, lang: name }, TEXTS[name]["language.name"])));
  languages.value = LANGUAGE;
  languages.addEventListener("change", () => chooseLanguage(languages.value));
}
