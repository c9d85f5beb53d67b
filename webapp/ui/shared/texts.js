// The page's texts in the language of whoever looks: t("images", { count: 3 }). They lie in webapp/texts, and
// webapp/texts/__init__.py gives the same ones to what the server draws.

const LANGUAGE_COOKIE = "anomalyloop_language";
export const TEXTS = window.anomalyloopTexts;

// What was chosen in the bar, or else the first of the browser's languages that there are texts in.
function languageInUse() {
  const chosen = document.cookie.match(new RegExp(`(?:^|; )${LANGUAGE_COOKIE}=(\\w+)`))?.[1];
  return [chosen, ...navigator.languages.map((tag) => tag.split("-")[0]), "en"].find((language) => language in TEXTS);
}

export function chooseLanguage(language) {
  document.cookie = `${LANGUAGE_COOKIE}=${language}; path=/; max-age=31536000; samesite=lax`;
  location.reload();
}

export const LANGUAGE = languageInUse();
// For numbers and times: en-GB writes dates in another way than en-US.
export const LOCALE = navigator.languages.find((tag) => tag.split("-")[0] === LANGUAGE) ?? LANGUAGE;
export const inDigits = (number) => number.toLocaleString(LOCALE);

// A text with its {values} filled in; with a `count`, the text for one or for several.
export function t(key, values = {}) {
  const texts = TEXTS[LANGUAGE];
  const text = texts[key] ?? texts[`${key}.${values.count === 1 ? "one" : "other"}`];
  if (text === undefined) throw new Error(`There is no text ${key} in webapp/texts.`);
  return text.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "number" ? inDigits(values[name]) : values[name]));
}

// Fills what a template leaves to the language: data-t (the text), data-t-html (a text with marks of emphasis), and
// attributes, as in data-t-title.
export function translate(root) {
  document.documentElement.lang = LANGUAGE;
  for (const part of root.querySelectorAll("[data-t]")) part.textContent = t(part.dataset.t);
  for (const part of root.querySelectorAll("[data-t-html]")) part.innerHTML = t(part.dataset.tHtml);
  for (const name of ["title", "aria-label", "placeholder"]) {
    for (const part of root.querySelectorAll(`[data-t-${name}]`)) part.setAttribute(name, t(part.getAttribute(`data-t-${name}`)));
  }
}
