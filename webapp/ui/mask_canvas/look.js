// How image, map and mask are shown. It changes nothing of the mask, and this browser remembers it; brightness and
// contrast, which would mislead in another image, last for the visit.

import { node } from "../shared/dom.js";
import { t } from "../shared/texts.js";
import { COLOUR_MAPS, colourGradient, MASK_COLOUR_ON, MASK_COLOURS } from "./colours.js";
import { preferences } from "./preferences.js";

export class Look {
  constructor(canvas) {
    this.canvas = canvas;
    this.ui = canvas.panel.ui;
    for (const [name, words] of [["colour-map", Object.keys(COLOUR_MAPS)], ["mask-colour", Object.keys(MASK_COLOURS)]]) {
      this.ui[name].append(...words.map((word) => node("option", { value: word }, t(`look.${name}.${word}`))));
    }
    this.connect("opacity", "input", () => this.showOpacity());
    this.connect("colour-map", "change", () => this.showColours());
    this.connect("mask-colour", "change", () => this.showColours());
    for (const name of ["brightness", "contrast"]) this.ui[name].addEventListener("input", () => this.showLight());
    this.ui["light-reset"].addEventListener("click", () => this.resetLight());
    this.ui.stretch.addEventListener("change", () => this.showStretch());
    this.connectBefore();
    this.showOpacity();
    this.showColours();
    this.showLight();
  }

  // A control whose value outlives the visit.
  connect(name, event, show) {
    const control = this.ui[name];
    control.value = preferences.read(name, control.value);
    if (!control.value) control.selectedIndex = 0; // a name that is no longer offered
    control.addEventListener(event, () => {
      preferences.write(name, control.value);
      show();
    });
  }

  showOpacity() {
    this.canvas.layers.canvases.heat.style.opacity = this.ui.opacity.value / 100;
    this.ui["opacity-value"].textContent = `${this.ui.opacity.value} %`;
  }

  showColours() {
    const map = this.ui["colour-map"].value;
    const mask = this.ui["mask-colour"].value;
    this.canvas.layers.setColours(map, mask === "auto" ? MASK_COLOUR_ON[map] : mask);
    this.ui["legend-bar"].style.background = colourGradient(map);
  }

  showStretch() {
    this.canvas.layers.stretch = this.ui.stretch.checked;
    this.canvas.layers.schedule({ heat: true });
    this.canvas.panel.showLegend(this.canvas);
  }

  // The compositor does it, so that it costs nothing while painting.
  showLight() {
    const [brightness, contrast] = ["brightness", "contrast"].map((name) => Number(this.ui[name].value));
    this.ui["brightness-value"].textContent = `${brightness} %`;
    this.ui["contrast-value"].textContent = `${contrast} %`;
    const usual = brightness === 100 && contrast === 100;
    this.canvas.layers.canvases.image.style.filter = usual ? "" : `brightness(${brightness}%) contrast(${contrast}%)`;
    this.ui["light-reset"].disabled = usual;
  }

  resetLight() {
    this.ui.brightness.value = 100;
    this.ui.contrast.value = 100;
    this.showLight();
  }

  // Before: the image alone. Held, by key or button.
  showBefore(before) {
    this.canvas.stage.classList.toggle("al-before", before);
    this.ui.before.setAttribute("aria-pressed", before);
  }

  connectBefore() {
    const { before } = this.ui;
    before.addEventListener("pointerdown", (event) => {
      before.setPointerCapture(event.pointerId);
      this.showBefore(true);
    });
    for (const name of ["pointerup", "pointercancel", "blur"]) before.addEventListener(name, () => this.showBefore(false));
    before.addEventListener("keydown", (event) => [" ", "Enter"].includes(event.key) && this.showBefore(true));
    before.addEventListener("keyup", () => this.showBefore(false));
  }
}
