// Brush and eraser: a round stroke along the pointer's path.

import { Edit } from "./history.js";
import { snapToPixels, strokeSpans } from "./raster.js";

export class StrokeTool {
  constructor(canvas, value) {
    Object.assign(this, { canvas, ownValue: value, edit: null });
  }

  get busy() {
    return this.edit !== null;
  }

  press(at, { opposite }) {
    this.value = opposite ? 1 - this.ownValue : this.ownValue;
    this.edit = new Edit();
    this.last = this.snap(at);
    this.stroke(this.last);
  }

  drag(at) {
    this.stroke(this.snap(at));
  }

  release() {
    const { edit } = this;
    this.edit = null;
    this.canvas.commit(edit);
  }

  cancel() {
    this.edit.swap(this.canvas.mask);
    this.edit = null;
    this.canvas.maskReplaced();
  }

  get outline() {
    return null;
  }

  snap(at) {
    return snapToPixels(at, this.canvas.tools.diameter);
  }

  stroke(to) {
    const { last: from, edit, value } = this;
    const { mask, layers } = this.canvas;
    const { diameter } = this.canvas.tools;
    strokeSpans(from, to, diameter, mask.width, mask.height, (y, x0, x1) => mask.fillSpan(y, x0, x1, value, edit));
    const reach = diameter / 2 + 1;
    layers.maskChanged(
      Math.min(from.x, to.x) - reach, Math.min(from.y, to.y) - reach,
      Math.max(from.x, to.x) + reach, Math.max(from.y, to.y) + reach,
    );
    this.last = to;
  }
}
