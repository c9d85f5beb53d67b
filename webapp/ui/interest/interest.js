// The list of regions of interest, and the form that sends one as a file.

import { bus } from "../shared/bus.js";
import { node } from "../shared/dom.js";
import { t } from "../shared/texts.js";
import { listRegions, maskUrl, projectId, removeRegion, useRegion } from "./regions.js";

export function mount(element) {
  const root = element.querySelector("[data-testid=interest]");
  const part = (name) => root.querySelector(`[data-testid=${name}]`);
  const form = part("new-interest");

  async function show() {
    const id = await projectId();
    const regions = await listRegions(id);
    const rows = regions.map((region) => row(id, region));
    part("interest-list").replaceChildren(...(rows.length ? rows : [node("li", { class: "al-muted" }, t("interest.none"))]));
  }

  function row(id, region) {
    const name = region.station || t("interest.station.all");
    const remove = node("button", { type: "button", class: "al-button al-small", "data-remove-region": region.station }, t("interest.remove"));
    remove.addEventListener("click", () => attempt(() => removeRegion(id, region.station), t("interest.removed")));
    const share = t("interest.share", { percent: ((100 * region.area) / (region.width * region.height)).toFixed(1) });
    return node(
      "li",
      { "data-testid": "interest-region" },
      node("img", { src: maskUrl(id, region), alt: t("interest.alt", { station: name }) }),
      node("span", {}, node("b", {}, name), ` ${share} · ${region.width} × ${region.height} px`),
      remove,
    );
  }

  // Whatever is refused is said, and what was chosen stays to be mended.
  async function attempt(work, words) {
    part("interest-error").textContent = part("interest-said").textContent = "";
    try {
      await work();
      part("interest-said").textContent = words;
    } catch (error) {
      part("interest-error").textContent = error.message;
    }
    await quietly();
  }

  const quietly = () => show().catch((error) => (part("interest-error").textContent = error.message));

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { mask, marks, station } = form.elements;
    attempt(async () => {
      await useRegion(await projectId(), { mask: mask.files[0], marks: marks.value, station: station.value });
      form.reset();
    }, t("interest.used"));
  });
  bus.on("regions-changed", quietly);
  // A little ahead of who scrolls down to it.
  new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && quietly(), { rootMargin: "1500px" }).observe(root);
}
