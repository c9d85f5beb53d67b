// The defect book: a row a kind, the commonest first, with bars beside the numbers.

import { bus, openTab } from "../shared/bus.js";
import { node, pollWhileVisible, thumbnailUrl } from "../shared/dom.js";
import { API, currentProject, getJson, request } from "../shared/net.js";
import { inDigits, t } from "../shared/texts.js";
import { kindForm } from "./kind_form.js";

export function mount(element) {
  const root = element.querySelector("[data-testid=defects]");
  const part = (name) => root.querySelector(`[data-testid=${name}]`);
  const project = () => new URLSearchParams({ project: currentProject() });
  let shown = "";

  async function showAll() {
    const counts = await getJson(`/defects/counts?${project()}`);
    part("defects-csv").href = `${API}/defects/counts.csv?${project()}`;
    if (JSON.stringify(counts) === shown) return; // a row that someone is about to press stays where it is
    shown = JSON.stringify(counts);
    const most = Math.max(1, ...counts.map((one) => one.images));
    const kinds = counts.map((one) => one.kind).filter(Boolean);
    part("defects-table").hidden = part("defects-csv").hidden = !kinds.length;
    part("defects-rows").replaceChildren(...(kinds.length ? counts.map((one) => row(one, most, kinds)) : []));
  }

  function row({ kind, images, regions, area }, most, kinds) {
    const bar = node("span", { class: "al-defect-bar", "aria-hidden": "true" }, node("i", {}));
    bar.style.setProperty("--share", `${(100 * images) / most}%`);
    if (kind) bar.style.setProperty("--kind", kind.colour);
    const cells = [node("td", {}, inDigits(images), bar), node("td", {}, regions === null ? "–" : inDigits(regions)), node("td", {}, `${inDigits(area)} px`)];
    if (!kind) return node("tr", { "data-testid": "defects-unnamed" }, node("th", { scope: "row" }, t("kinds.none")), ...cells, node("td", {}));
    return node("tr", { "data-testid": "kind-row", "data-name": kind.name }, name(kind), ...cells, node("td", {}, actions(kind, kinds)));
  }

  function name(kind) {
    const key = kind.key && node("kbd", {}, kind.key.toUpperCase());
    const dot = node("i", { class: "al-kind-dot", style: `background: ${kind.colour}` });
    const parts = [node("span", { class: "al-defect-name" }, dot, kind.name, ...(key ? [key] : []))];
    if (kind.description) parts.push(node("div", { class: "al-muted al-defect-about" }, kind.description));
    if (kind.example_ids.length) parts.push(node("div", { class: "al-defect-examples" }, ...kind.example_ids.map((id) => example(kind, id))));
    return node("th", { scope: "row" }, ...parts);
  }

  function example(kind, id) {
    const button = node("button", { type: "button", "data-testid": "kind-example" }, node("img", { src: thumbnailUrl({ id }), alt: t("defects.example", { id, name: kind.name }), loading: "lazy" }));
    button.addEventListener("click", () => {
      bus.emit("open-image", { id });
      openTab("inspect");
    });
    return button;
  }

  function actions(kind, kinds) {
    const taken = kinds.filter((one) => one !== kind).map((one) => one.key);
    const made = node("span", { class: "al-project-actions" });
    const action = (word, testid, does) => {
      const button = node("button", { type: "button", class: "al-button al-small", "aria-label": `${t(word)}: ${kind.name}`, "data-testid": testid }, t(word));
      button.addEventListener("click", does);
      made.append(button);
    };
    action("defects.edit", "edit-kind", () => kindForm(kind, taken, changed));
    action("delete", "delete-kind", () => quietly(request(`/defects/${kind.id}`, { method: "DELETE" }).then(changed)));
    return made;
  }

  function changed() {
    bus.emit("kinds-changed");
    quietly(showAll());
  }

  function quietly(work) {
    part("defects-error").textContent = "";
    return work.catch((error) => (part("defects-error").textContent = error.message));
  }

  part("new-kind").addEventListener("click", async () => {
    const kinds = await getJson(`/defects?${project()}`).catch(() => []);
    kindForm(null, kinds.map((one) => one.key), changed);
  });
  new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && quietly(showAll())).observe(root);
  pollWhileVisible(root, 4000, () => showAll().catch((error) => (part("defects-error").textContent = error.message)));
}
