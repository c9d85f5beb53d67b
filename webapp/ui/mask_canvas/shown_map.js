// Which of an image's maps is shown: the one in service, the preview that the corrections so far make, what the prompts
// alone say, or what is unlike the project's other images. A preview comes first, as it is what corrections just changed;
// a choice holds until another one.

import { t } from "../shared/texts.js";
import { loadField } from "./records.js";

const MAPS = ["service", "preview", "prompts", "others"];

export class ShownMap {
  constructor(canvas) {
    Object.assign(this, { canvas, chosen: null });
    this.ui = canvas.panel.ui;
    for (const name of MAPS) this.ui[`map-${name}`].addEventListener("click", () => this.choose(name));
  }

  // What there is to show of an image, the one in service first.
  offered(image) {
    if (image.score === null) return [];
    const there = { service: true, preview: image.preview, prompts: image.parts.includes("refiner"), others: image.unlike_others };
    return MAPS.filter((name) => there[name]);
  }

  // Which of them is shown of it now.
  of(image) {
    const offered = this.offered(image);
    if (offered.includes(this.chosen)) return this.chosen;
    return this.chosen === null && offered.includes("preview") ? "preview" : "service";
  }

  async choose(name) {
    const { canvas } = this;
    if (!canvas.image || !this.offered(canvas.image).includes(name)) return;
    this.chosen = name === "preview" ? null : name;
    const known = canvas.image;
    this.show(known);
    try {
      const loaded = await loadField(known, name);
      if (canvas.image?.id === known.id && this.of(canvas.image) === name) canvas.setField(loaded);
    } catch (error) {
      canvas.panel.say(error.message, "error");
    }
  }

  // The buttons, and the mark on what is no result yet.
  show(image) {
    const [offered, name] = [this.offered(image), this.of(image)];
    this.ui["map-choice"].hidden = offered.length < 2;
    for (const one of MAPS) {
      this.ui[`map-${one}`].hidden = !offered.includes(one);
      this.ui[`map-${one}`].setAttribute("aria-pressed", one === name);
    }
    this.canvas.root.dataset.map = name;
    this.ui["map-mark"].hidden = name === "service";
    this.ui["map-mark"].textContent = markWords(name, image);
    const accepted = image.verdict ? "title" : "unjudged";
    this.ui.accept.title = t(`canvas.accept.${name === "service" ? accepted : name}`);
  }
}

function markWords(name, { preview, annotation }) {
  if (name === "prompts" || name === "others") return t(`mark.${name}`);
  if (name !== "preview") return "";
  return t(annotation ? "mark.preview.learnt" : "mark.preview", { count: preview.corrections });
}
