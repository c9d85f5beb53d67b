// Buttons, sliders and readouts around the stage: shows the canvas's state and passes on what is clicked.

import { bus } from "../shared/bus.js";
import { factsWords, probabilityWords, scoreText, withoutVerdict } from "../shared/dom.js";
import { inDigits, t } from "../shared/texts.js";
import { fillHelp } from "./help.js";
import { preferences } from "./preferences.js";
import { LARGEST_BRUSH, TOOL_NAMES } from "./tools.js";
import { wholeMask } from "./whole_mask.js";
import { emptyMaskWords, percent, revisionWords, scoringTimeWords } from "./words.js";

export class Panel {
  constructor(root, canvas) {
    this.root = root;
    this.ui = {};
    for (const part of root.querySelectorAll("[data-testid]")) this.ui[part.dataset.testid] = part;
    this.connectButtons(canvas);
    this.connectInputs(canvas);
    fillHelp(this.ui["help-sheet"]);
  }

  connectButtons(canvas) {
    const clicks = {
      ...Object.fromEntries(TOOL_NAMES.map((name) => [`tool-${name}`, () => canvas.tools.choose(name)])),
      undo: () => canvas.undo(),
      redo: () => canvas.redo(),
      clear: () => wholeMask.clear(canvas),
      grow: () => wholeMask.grow(canvas),
      shrink: () => wholeMask.shrink(canvas),
      "fill-holes": () => wholeMask.fillHoles(canvas),
      "start-from-map": () => wholeMask.startFromMap(canvas),
      "shape-close": () => canvas.tools.finish(),
      "shape-cancel": () => canvas.tools.cancel(),
      "zoom-in": () => canvas.zoomBy(1.25),
      "zoom-out": () => canvas.zoomBy(0.8),
      "zoom-level": () => canvas.zoomTo(1),
      "zoom-fit": () => canvas.fit(),
      help: () => this.showHelp(),
      previous: () => bus.emit("step", { by: -1 }),
      next: () => bus.emit("step", { by: 1 }),
      accept: () => canvas.decisions.accept(),
      "mark-normal": () => canvas.decisions.markNormal(),
      "mark-anomalous": () => canvas.decisions.markAnomalous(),
      save: () => canvas.decisions.save(),
      "threshold-reset": () => canvas.setThreshold(canvas.image.map_threshold),
      "empty-pick": () => bus.emit("pick-files"),
      "empty-samples": () => bus.emit("add-samples"),
    };
    for (const [name, act] of Object.entries(clicks)) this.ui[name].addEventListener("click", act);
  }

  connectInputs(canvas) {
    const { ui } = this;
    ui["map-threshold"].addEventListener("input", () => canvas.setThreshold(Number(ui["map-threshold"].value)));
    ui["brush-size"].addEventListener("input", () => canvas.tools.setDiameter(sizeOf(ui["brush-size"].value)));
    ui["go-on"].checked = preferences.read("go-on", false);
    ui["go-on"].addEventListener("change", () => preferences.write("go-on", ui["go-on"].checked));
  }

  show(canvas) {
    const { image } = canvas;
    this.root.dataset.imageId = image?.id ?? "";
    this.root.dataset.promptVersion = image?.prompt_version ?? "";
    this.root.classList.toggle("al-has-image", Boolean(image));
    this.ui.toolbar.inert = this.ui.side.inert = !image;
    if (!image) return;
    this.showResult(image);
    canvas.shownMap.show(image);
    canvas.kinds?.imageChanged();
    canvas.regionUse.show(image);
    this.showLegend(canvas);
    this.showMask(canvas);
    if (!this.thresholdChosen) {
      this.thresholdChosen = true;
      canvas.setThreshold(image.map_threshold);
    } else {
      this.showThreshold(canvas);
    }
  }

  showResult(image) {
    const { ui } = this;
    ui["file-name"].textContent = image.file_name;
    ui["file-name"].title = image.file_name;
    ui["image-size"].textContent = `${image.width} × ${image.height} px`;
    ui.facts.textContent = factsWords(image);
    ui.facts.title = ui.facts.textContent;
    ui.status.textContent = t(`status.${image.status}`);
    ui.status.dataset.status = image.status;
    const isOld = image.score === null && image.old_score !== null;
    ui.score.textContent = scoreText(isOld ? image.old_score : image.score);
    ui.score.classList.toggle("al-old-score", isOld);
    ui.score.title = isOld ? t("score.old.about") : "";
    ui.verdict.textContent = image.verdict ? t(`verdict.${image.verdict}`) : withoutVerdict(image, isOld);
    ui.verdict.dataset.verdict = image.verdict ?? "";
    ui["score-bar"].style.setProperty("--score", image.score ?? 0);
    ui["score-bar"].style.setProperty("--threshold", image.threshold);
    ui["score-threshold"].textContent = image.threshold.toFixed(2);
    ui["prompt-version"].textContent = image.prompt_version === null ? "–" : `v${image.prompt_version}`;
    ui["scoring-time"].textContent = scoringTimeWords(image);
    ui.probability.textContent = probabilityWords(image);
    ui["scoring-error"].textContent = image.scoring_error ?? "";
    ui.accept.disabled = image.score === null;
    ui["start-from-map"].disabled = image.score === null;
    ui.revision.textContent = revisionWords(image.annotation);
  }

  showLegend({ layers }) {
    const [low, high] = layers.range;
    this.ui["legend-low"].textContent = low.toFixed(2);
    this.ui["legend-high"].textContent = high.toFixed(2);
  }

  showThreshold({ layers, field, image }) {
    const { ui } = this;
    const threshold = layers.threshold;
    ui["map-threshold"].value = threshold;
    ui["map-threshold-value"].textContent = threshold.toFixed(3);
    ui["map-area"].textContent = field ? t("canvas.map_area", { share: percent(field.share(threshold)) }) : t("canvas.no_map");
    const moved = image && Math.abs(threshold - image.map_threshold) > 1e-6;
    ui["threshold-hint"].hidden = !moved;
    ui["threshold-hint-words"].textContent = image ? t("canvas.threshold.hint", { threshold: image.map_threshold.toFixed(3) }) : "";
  }

  showMask({ mask, history, image, kinds }) {
    const { ui } = this;
    kinds?.maskChanged();
    const share = mask.area / (mask.width * mask.height);
    ui["mask-area"].textContent = mask.area ? `${inDigits(mask.area)} px · ${percent(share)}` : emptyMaskWords(image, history.dirty);
    ui["dirty-state"].textContent = history.dirty ? t("canvas.not_saved") : "";
    ui.undo.disabled = history.done.length === 0;
    ui.redo.disabled = history.undone.length === 0;
    for (const name of ["clear", "grow", "shrink", "fill-holes"]) ui[name].disabled = mask.area === 0;
    this.root.dataset.dirty = history.dirty;
    this.root.dataset.area = mask.area;
  }

  showTools({ name, tool, diameter, busy }) {
    const { ui } = this;
    for (const other of TOOL_NAMES) ui[`tool-${other}`].setAttribute("aria-pressed", other === name);
    ui["brush-size"].value = positionOf(diameter);
    ui["brush-size"].setAttribute("aria-valuetext", t("canvas.pixels", { diameter }));
    ui["brush-size-value"].textContent = `${diameter} px`;
    ui["tool-hint"].hidden = !tool.hint;
    ui["tool-hint-words"].textContent = tool.hint ?? "";
    ui["shape-close"].hidden = ui["shape-cancel"].hidden = !busy;
  }

  // Scale and offset are also told as attributes, in CSS pixels, for whoever needs to find an image pixel on screen.
  showView(view, image) {
    this.ui["zoom-level"].textContent = image ? `${Math.round(view.scale * 100)} %` : "–";
    const { dataset } = this.ui.stage;
    dataset.scale = view.scale / devicePixelRatio;
    dataset.x = view.x / devicePixelRatio;
    dataset.y = view.y / devicePixelRatio;
  }

  showPointer(point, { image, field }) {
    const inside = point && image && point.x >= 0 && point.y >= 0 && point.x < image.width && point.y < image.height;
    if (!inside) {
      this.ui.pointer.textContent = "";
      return;
    }
    const [x, y] = [Math.floor(point.x), Math.floor(point.y)];
    const value = field ? ` · ${t("canvas.map_value", { value: field.valueAt(x, y).toFixed(3) })}` : "";
    this.ui.pointer.textContent = `${x}, ${y}${value}`;
  }

  showHelp() {
    this.ui["help-sheet"].showModal();
  }

  setBusy(busy) {
    this.root.dataset.busy = busy;
  }

  // A line for people; good news (info) goes away by itself, a notice or an error stays until the next line.
  say(text, kind = "info") {
    this.ui.message.textContent = text;
    this.ui.message.dataset.kind = kind;
    clearTimeout(this.clearing);
    if (text && kind === "info") this.clearing = setTimeout(() => this.say(""), 6000);
  }
}

// The size slider is geometric: 0–100 → 1–400 px, so that small sizes are as easy to hit as large ones.
function sizeOf(position) {
  return Math.round(LARGEST_BRUSH ** (position / 100));
}

function positionOf(diameter) {
  return (100 * Math.log(diameter)) / Math.log(LARGEST_BRUSH);
}
