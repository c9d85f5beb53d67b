// Which tool is in hand, how large the brush is, and where the pointer is. Works in image points; saves nothing.

import { Cursor } from "./cursor.js";
import { FillTool } from "./fill_tool.js";
import { PolygonTool } from "./polygon_tool.js";
import { preferences } from "./preferences.js";
import { RectangleTool } from "./rectangle_tool.js";
import { Sketch } from "./sketch.js";
import { StrokeTool } from "./stroke_tool.js";

export const LARGEST_BRUSH = 400;
export const TOOL_NAMES = ["brush", "eraser", "rectangle", "polygon", "fill"];

export class Tools {
  constructor(canvas) {
    this.canvas = canvas;
    this.kinds = {
      brush: new StrokeTool(canvas, 1),
      eraser: new StrokeTool(canvas, 0),
      rectangle: new RectangleTool(canvas),
      polygon: new PolygonTool(canvas),
      fill: new FillTool(canvas),
    };
    this.name = "brush";
    this.diameter = preferences.read("brush", 24);
    this.cursor = new Cursor(canvas, this);
    this.sketch = new Sketch(canvas.stage.querySelector("[data-part=sketch]"), canvas.view);
    // Whether a pointer or a key holds the tool down.
    this.pressed = false;
  }

  get tool() {
    return this.kinds[this.name];
  }

  // Whether something is begun and not yet in the mask's history.
  get busy() {
    return this.tool.busy;
  }

  choose(name) {
    if (name === this.name) return;
    this.finish();
    this.name = name;
    this.changed();
  }

  setDiameter(diameter) {
    this.diameter = Math.min(LARGEST_BRUSH, Math.max(1, Math.round(diameter)));
    preferences.write("brush", this.diameter);
    this.changed();
  }

  // One step of [ or ]: a pixel at a time while small, some 15 % when large.
  resize(direction) {
    this.setDiameter(this.diameter + direction * Math.max(1, Math.round(this.diameter * 0.15)));
  }

  // --- what a pointer or the keyboard does with the tool, at image points ---

  // opposite: take away instead of add, and the other way round.
  press(at, opposite = false) {
    const reach = (12 * devicePixelRatio) / this.canvas.view.scale;
    this.pressed = true;
    this.tool.press(at, { opposite, reach });
    this.changed();
  }

  drag(at) {
    if (!this.pressed) return;
    this.tool.drag(at);
    this.drawSketch();
  }

  hover(at) {
    this.tool.hover?.(at);
    this.drawSketch();
  }

  release() {
    if (!this.pressed) return;
    this.pressed = false;
    this.tool.release();
    this.changed();
  }

  // Takes back what is begun.
  cancel() {
    this.pressed = false;
    if (this.busy) this.tool.cancel();
    this.changed();
  }

  // Takes back the last step of what is begun: a corner of a polygon.
  back() {
    this.pressed = false;
    if (this.tool.back) this.tool.back();
    else if (this.busy) this.tool.cancel();
    this.changed();
  }

  // Puts what is begun into the mask, before something else happens to it.
  finish() {
    if (!this.busy) return;
    this.pressed = false;
    if (this.tool.finish) this.tool.finish();
    else this.tool.release();
    this.changed();
  }

  changed() {
    this.cursor.refresh();
    this.drawSketch();
    this.canvas.panel?.showTools(this);
  }

  drawSketch() {
    this.sketch.show(this.canvas.mask ? this.tool.outline : null, this.cursor.cross);
  }
}
