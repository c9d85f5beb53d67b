// Fill: the map's region under the pointer, as far as its values are at or above the threshold.

import { t } from "../shared/texts.js";
import { Regions } from "./regions.js";

export class FillTool {
  constructor(canvas) {
    Object.assign(this, { canvas, busy: false });
  }

  press(at, { opposite }) {
    const { field, layers, panel, image } = this.canvas;
    const [x, y] = [Math.floor(at.x), Math.floor(at.y)];
    if (x < 0 || y < 0 || x >= image.width || y >= image.height) return;
    if (!field) {
      panel.say(t("fill.no_map"), "error");
    } else if (field.valueAt(x, y) < layers.threshold) {
      const [value, threshold] = [field.valueAt(x, y), layers.threshold].map((number) => number.toFixed(3));
      panel.say(t("fill.below", { value, threshold }));
    } else {
      this.fill(x, y, opposite ? 0 : 1);
    }
  }

  fill(x, y, value) {
    const { field, layers } = this.canvas;
    this.canvas.change((mask, edit) => {
      const regions = new Regions(mask.height, field.runsAbove(layers.threshold));
      regions.walk(y, x, x + 1, (row, x0, x1) => mask.fillSpan(row, x0, x1, value, edit));
    });
  }

  drag() {}

  release() {}

  cancel() {}

  get outline() {
    return null;
  }

  get hint() {
    return t("fill.hint");
  }
}
