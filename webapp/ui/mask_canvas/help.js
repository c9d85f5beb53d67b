// The help sheet: all keys, from the table that the keys come from.

import { node } from "../shared/dom.js";
import { t } from "../shared/texts.js";
import { KEYS } from "./keys.js";

export function fillHelp(sheet) {
  const groups = new Map();
  for (const { group, show, words } of KEYS.filter((entry) => entry.show)) {
    const row = node("div", {}, node("dt", {}, ...show.split(" ").map((key) => node("kbd", {}, key))), node("dd", {}, t(words)));
    groups.set(group, [...(groups.get(group) ?? []), row]);
  }
  const columns = [...groups].map(([name, rows]) => node("section", {}, node("h4", {}, t(name)), node("dl", {}, ...rows)));
  sheet.querySelector("[data-part=keys]").replaceChildren(...columns);
  // A click beside the sheet closes it, as Escape does.
  sheet.addEventListener("click", (event) => event.target === sheet && sheet.close());
}
