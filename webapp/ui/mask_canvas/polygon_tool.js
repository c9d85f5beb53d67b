// Polygon: a point a press; it is closed by Enter, by a double-click, or by a press on its first point.

import { t } from "../shared/texts.js";
import { polygonSpans } from "./shapes.js";

export class PolygonTool {
  constructor(canvas) {
    Object.assign(this, { canvas, points: [], end: null });
  }

  get busy() {
    return this.points.length > 0;
  }

  // `reach`: how near to the first point, in image pixels, a press closes.
  press(at, { opposite, reach }) {
    const [first] = this.points;
    if (this.points.length > 2 && Math.hypot(at.x - first.x, at.y - first.y) <= reach) {
      this.finish();
      return;
    }
    if (!first) this.value = opposite ? 0 : 1;
    this.points.push(at);
    this.end = null;
  }

  // The newest point may still be moved while the pointer is down.
  drag(at) {
    if (this.points.length) this.points[this.points.length - 1] = at;
  }

  hover(at) {
    this.end = at;
  }

  release() {}

  back() {
    this.points.pop();
  }

  cancel() {
    this.points = [];
  }

  finish() {
    const { points, value } = this;
    this.points = [];
    if (points.length < 3) return;
    this.canvas.change((mask, edit) =>
      polygonSpans(points, mask.width, mask.height, (y, x0, x1) => mask.fillSpan(y, x0, x1, value, edit)),
    );
  }

  get outline() {
    if (!this.busy) return null;
    const points = this.end ? [...this.points, this.end] : this.points;
    return { points, closed: false, handles: this.points };
  }

  get hint() {
    const count = this.points.length;
    if (!count) return t("polygon.begin");
    return t("polygon.corners", { count });
  }
}
