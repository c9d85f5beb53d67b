// Each language is called by its own name.

const languages = element.querySelector("[data-testid=language]");
languages.append(...Object.keys(TEXTS).map((name) => node("option", { value: name, lang: name }, TEXTS[name]["language.name"])));
languages.value = LANGUAGE;
languages.addEventListener("change", () => chooseLanguage(languages.value));
