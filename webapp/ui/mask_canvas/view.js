// Zoom and pan: where the image lies on the stage, in device pixels. Knows nothing of what is drawn.

const MAX_SCALE = 32;

export class View {
  constructor() {
    Object.assign(this, { scale: 1, x: 0, y: 0, fitted: true, width: 1, height: 1, imageWidth: 1, imageHeight: 1 });
  }

  setImage(width, height) {
    this.imageWidth = width;
    this.imageHeight = height;
    this.fit();
  }

  resize(width, height) {
    const centre = this.toImage({ x: this.width / 2, y: this.height / 2 });
    this.width = width;
    this.height = height;
    if (this.fitted) this.fit();
    else this.placeAt(centre, { x: width / 2, y: height / 2 });
  }

  get fitScale() {
    return Math.min((this.width * 0.96) / this.imageWidth, (this.height * 0.96) / this.imageHeight, MAX_SCALE);
  }

  fit() {
    this.scale = this.fitScale;
    this.x = Math.round((this.width - this.imageWidth * this.scale) / 2);
    this.y = Math.round((this.height - this.imageHeight * this.scale) / 2);
    this.fitted = true;
  }

  // Multiplies the scale; the image point under `anchor` (device pixels) stays where it is.
  zoom(factor, anchor = { x: this.width / 2, y: this.height / 2 }) {
    this.zoomTo(this.scale * factor, anchor);
  }

  zoomTo(scale, anchor = { x: this.width / 2, y: this.height / 2 }) {
    const point = this.toImage(anchor);
    this.scale = Math.min(MAX_SCALE, Math.max(scale, Math.min(this.fitScale / 2, 1)));
    this.placeAt(point, anchor);
    this.fitted = false;
  }

  placeAt(point, anchor) {
    this.x = Math.round(anchor.x - point.x * this.scale);
    this.y = Math.round(anchor.y - point.y * this.scale);
  }

  // Moves the image; at least a corner of it stays on the stage.
  pan(dx, dy) {
    const margin = 40;
    this.x = Math.min(this.width - margin, Math.max(margin - this.imageWidth * this.scale, this.x + dx));
    this.y = Math.min(this.height - margin, Math.max(margin - this.imageHeight * this.scale, this.y + dy));
    this.fitted = false;
  }

  toImage(point) {
    return { x: (point.x - this.x) / this.scale, y: (point.y - this.y) / this.scale };
  }

  toDevice(point) {
    return { x: this.x + point.x * this.scale, y: this.y + point.y * this.scale };
  }

  // The device-pixel rectangle that shows the image's [x0, x1) × [y0, y1), one pixel wider for outlines, clipped.
  rectOf(x0, y0, x1, y1) {
    const left = Math.max(0, Math.floor(this.x + x0 * this.scale) - 2);
    const top = Math.max(0, Math.floor(this.y + y0 * this.scale) - 2);
    const right = Math.min(this.width, Math.ceil(this.x + x1 * this.scale) + 2);
    const bottom = Math.min(this.height, Math.ceil(this.y + y1 * this.scale) + 2);
    return { x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) };
  }

  // First image column (or row) shown in each device column of [start, start + length); −1 outside the image.
  pixelsAlong(start, length, offset, size) {
    const pixels = new Int32Array(length);
    for (let i = 0; i < length; i++) {
      const at = Math.floor((start + i + 0.5 - offset) / this.scale);
      pixels[i] = at >= 0 && at < size ? at : -1;
    }
    return pixels;
  }

  columns(rect) {
    return this.pixelsAlong(rect.x, rect.width, this.x, this.imageWidth);
  }

  rows(rect) {
    return this.pixelsAlong(rect.y, rect.height, this.y, this.imageHeight);
  }
}
