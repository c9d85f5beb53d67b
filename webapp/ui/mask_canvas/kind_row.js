// The row of kinds under the stage, and a mark at each region of the mask.

import { node } from "../shared/dom.js";
import { inDigits, t } from "../shared/texts.js";

// More marks would hide the image.
const MOST_MARKS = 60;

export class KindRow {
  constructor(root, kinds) {
    const part = (name) => root.querySelector(`[data-testid=${name}]`);
    Object.assign(this, { kinds, row: part("kinds"), chips: part("kind-chips"), where: part("kind-region"), marks: part("region-marks"), comment: part("comment"), view: kinds.canvas.view });
    part("region-previous").addEventListener("click", () => kinds.step(-1));
    part("region-next").addEventListener("click", () => kinds.step(1));
    this.steps = [part("region-previous"), part("region-next")];
    this.comment.addEventListener("change", () => kinds.comment(this.comment.value.trim()));
    this.comment.addEventListener("keydown", (event) => event.key === "Enter" && this.comment.blur());
  }

  show(kinds) {
    const { book, regions, chosen } = kinds;
    const { image } = kinds.canvas;
    this.row.hidden = !book.length || !image;
    this.marks.hidden = this.row.hidden;
    this.showComment(image);
    if (this.row.hidden) return;
    const region = regions[chosen];
    const kind = region || kinds.whole ? kinds.kindOf(region) : undefined;
    this.where.textContent = whereWords(kinds, kind);
    for (const step of this.steps) step.hidden = regions.length < 2;
    this.chips.replaceChildren(...book.map((one) => this.chip(one, one === kind)));
    this.marks.replaceChildren(...regions.slice(0, MOST_MARKS).map((one, index) => this.mark(one, index, index === chosen)));
    this.place();
  }

  showComment(image) {
    const { comment } = this;
    comment.hidden = !image?.annotation;
    if (document.activeElement !== comment) comment.value = image?.annotation?.comment ?? "";
  }

  chip(kind, pressed) {
    const key = kind.key && node("kbd", {}, kind.key.toUpperCase());
    const dot = node("i", { class: "al-kind-dot", style: `background: ${kind.colour}` });
    const made = node("button", { type: "button", class: "al-kind", "aria-pressed": String(pressed), title: kind.description, "data-testid": "kind-chip", "data-kind": kind.id }, dot, kind.name, ...(key ? [key] : []));
    made.addEventListener("click", () => {
      this.kinds.give(kind);
      this.chips.querySelector(`[data-kind="${kind.id}"]`)?.focus(); // the chips were made anew
    });
    return made;
  }

  // A button at the region's middle; by keyboard regions are chosen with the row's own buttons.
  mark(region, index, chosen) {
    const kind = this.kinds.kindOf(region);
    const name = kind ? kind.name : t("kinds.none");
    const words = t("kinds.mark", { number: index + 1, name });
    const made = node("button", { type: "button", class: "al-region-mark", tabindex: -1, "aria-label": words, title: words, "aria-pressed": String(chosen), "data-testid": "region-mark" }, inDigits(index + 1));
    if (kind) made.style.setProperty("--kind", kind.colour);
    made.addEventListener("click", () => this.kinds.choose(index));
    return made;
  }

  // Puts the marks where the view has their regions now.
  place() {
    const { regions } = this.kinds;
    [...this.marks.children].forEach((mark, index) => {
      const { x, y } = this.view.toDevice({ x: regions[index].x + 0.5, y: regions[index].y + 0.5 });
      mark.style.transform = `translate(${x / devicePixelRatio}px, ${y / devicePixelRatio}px)`;
    });
  }
}

function whereWords({ regions, chosen, whole }, kind) {
  if (!regions.length && !whole) return t("kinds.nothing");
  const name = kind ? kind.name : t("kinds.none");
  if (!regions.length) return t("kinds.whole", { name });
  return t("kinds.region", { number: chosen + 1, of: regions.length, name });
}
