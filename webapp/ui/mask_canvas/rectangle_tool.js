// Rectangle: press at one corner, release at the other.

import { rectangleOf, rectangleSpans } from "./shapes.js";

export class RectangleTool {
  constructor(canvas) {
    Object.assign(this, { canvas, from: null });
  }

  get busy() {
    return this.from !== null;
  }

  press(at, { opposite }) {
    Object.assign(this, { from: at, to: at, value: opposite ? 0 : 1 });
  }

  drag(at) {
    this.to = at;
  }

  release() {
    const { from, to, value } = this;
    this.from = null;
    this.canvas.change((mask, edit) =>
      rectangleSpans(from, to, mask.width, mask.height, (y, x0, x1) => mask.fillSpan(y, x0, x1, value, edit)),
    );
  }

  cancel() {
    this.from = null;
  }

  get outline() {
    if (!this.from) return null;
    const { left, top, right, bottom } = rectangleOf(this.from, this.to);
    const points = [{ x: left, y: top }, { x: right, y: top }, { x: right, y: bottom }, { x: left, y: bottom }];
    return { points, closed: true, handles: [] };
  }
}
