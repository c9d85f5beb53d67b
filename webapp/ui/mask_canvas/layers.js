// What is seen: four canvases over each other (image, heat, threshold outline, mask), each redrawn only when its own
// input changed, and the mask only where it changed. Opacity is the compositor's work, not ours.

import { colourTable, maskInk, OUTLINE, OUTLINE_HALO } from "./colours.js";
import { paintMask } from "./coverage.js";

export class Layers {
  constructor(stage, view) {
    this.view = view;
    this.canvases = {};
    for (const canvas of stage.querySelectorAll("canvas[data-layer]")) this.canvases[canvas.dataset.layer] = canvas;
    this.colours = null;
    this.ink = null;
    this.due = { image: false, heat: false, outline: false, mask: null };
    this.stretch = false;
    this.threshold = 0.5;
    this.setContent({ picture: null, mask: null, field: null, image: null });
  }

  setContent({ picture, mask, field, image }) {
    Object.assign(this, { picture, mask, field });
    this.projectThreshold = image?.map_threshold ?? 1;
    this.redraw();
  }

  // Which colours the map and the mask have from now on.
  setColours(map, mask) {
    this.colours = colourTable(map);
    this.ink = maskInk(mask);
    this.schedule({ heat: true, mask: this.whole });
  }

  resize(width, height) {
    for (const canvas of Object.values(this.canvases)) Object.assign(canvas, { width, height });
    this.redraw();
  }

  redraw() {
    this.schedule({ image: true, heat: true, outline: true, mask: this.whole });
  }

  get whole() {
    return { x: 0, y: 0, width: this.view.width, height: this.view.height };
  }

  // Image rectangle whose mask changed.
  maskChanged(x0, y0, x1, y1) {
    this.schedule({ mask: this.view.rectOf(x0, y0, x1, y1) });
  }

  schedule({ image = false, heat = false, outline = false, mask = null }) {
    const idle = !this.due.image && !this.due.heat && !this.due.outline && !this.due.mask;
    this.due.image ||= image;
    this.due.heat ||= heat;
    this.due.outline ||= outline || heat;
    if (mask) this.due.mask = this.due.mask ? joinRects(this.due.mask, mask) : mask;
    if (idle) requestAnimationFrame(() => this.draw());
  }

  draw() {
    const { image, heat, outline, mask } = this.due;
    this.due = { image: false, heat: false, outline: false, mask: null };
    if (image) this.drawImage();
    if (heat) this.drawHeat();
    if (outline) this.drawOutline();
    if (mask) this.drawMask(mask);
  }

  drawImage() {
    const context = this.canvases.image.getContext("2d");
    const { scale, x, y, imageWidth, imageHeight, width, height } = this.view;
    context.clearRect(0, 0, width, height);
    if (!this.picture) return;
    context.imageSmoothingEnabled = scale < 1;
    context.imageSmoothingQuality = "medium";
    context.drawImage(this.picture.atScale(scale), x, y, imageWidth * scale, imageHeight * scale);
  }

  // The map's value under every device pixel, −1 outside the image; kept for the outline.
  sampleField() {
    const { width, height } = this.view;
    const sampled = new Float32Array(width * height).fill(-1);
    const columns = this.view.columns(this.whole);
    const rows = this.view.rows(this.whole);
    const [left, right] = insideRange(columns);
    const [top, bottom] = insideRange(rows);
    const across = this.field.columnsAt(columns.subarray(left, right));
    const down = this.field.rowsAt(rows.subarray(top, bottom));
    for (let y = top; y < bottom; y++) this.field.readRow(down, y - top, across, sampled, y * width + left);
    return sampled;
  }

  // The map values at both ends of the colours: those of this image when stretched; else such that the hottest colours
  // mean "at or above the project's threshold", and an image without anything stays cool.
  get range() {
    if (!this.field) return [0, 1];
    return this.stretch ? [this.field.low, this.field.high] : [0, Math.max(this.field.high, this.projectThreshold)];
  }

  drawHeat() {
    const context = this.canvases.heat.getContext("2d");
    const { width, height } = this.view;
    context.clearRect(0, 0, width, height);
    this.sampled = this.field ? this.sampleField() : null;
    if (!this.sampled) return;
    const picture = context.createImageData(width, height);
    const words = new Uint32Array(picture.data.buffer);
    const [low, high] = this.range;
    const range = high - low || 1;
    for (let i = 0; i < words.length; i++) {
      const value = this.sampled[i];
      if (value >= 0) words[i] = this.colours[Math.max(0, Math.min(255, (255 * (value - low)) / range)) | 0];
    }
    context.putImageData(picture, 0, 0);
  }

  // A white line with a dark one beside it around everything at or above the threshold.
  drawOutline() {
    const context = this.canvases.outline.getContext("2d");
    const { width, height } = this.view;
    context.clearRect(0, 0, width, height);
    if (!this.sampled) return;
    const picture = context.createImageData(width, height);
    const words = new Uint32Array(picture.data.buffer);
    const { sampled, threshold } = this;
    const mark = (inside, outside) => {
      words[inside] = OUTLINE;
      if (sampled[outside] >= 0) words[outside] = OUTLINE_HALO;
    };
    for (let y = 0, i = 0; y < height; y++) {
      for (let x = 0; x < width; x++, i++) {
        if (sampled[i] < threshold) continue;
        if (x > 0 && sampled[i - 1] < threshold) mark(i, i - 1);
        if (x < width - 1 && sampled[i + 1] < threshold) mark(i, i + 1);
        if (y > 0 && sampled[i - width] < threshold) mark(i, i - width);
        if (y < height - 1 && sampled[i + width] < threshold) mark(i, i + width);
      }
    }
    context.putImageData(picture, 0, 0);
  }

  drawMask(rect) {
    const context = this.canvases.mask.getContext("2d");
    if (rect.width <= 0 || rect.height <= 0) return;
    const picture = context.createImageData(rect.width, rect.height);
    if (this.mask && this.mask.area > 0) paintMask(new Uint32Array(picture.data.buffer), this.mask, this.view, rect, this.ink);
    context.putImageData(picture, rect.x, rect.y);
  }
}

function joinRects(a, b) {
  const x = Math.min(a.x, b.x);
  const y = Math.min(a.y, b.y);
  const width = Math.max(a.x + a.width, b.x + b.width) - x;
  const height = Math.max(a.y + a.height, b.y + b.height) - y;
  return { x, y, width, height };
}

// The stretch of indices that lie inside the image.
function insideRange(pixels) {
  const from = pixels.findIndex((pixel) => pixel >= 0);
  return from < 0 ? [0, 0] : [from, pixels.findLastIndex((pixel) => pixel >= 0) + 1];
}
