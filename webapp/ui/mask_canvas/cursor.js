// Where the tool is: the ring that shows the brush under the pointer, and the cross that arrow keys move.

import { snapToPixels } from "./raster.js";
import { StrokeTool } from "./stroke_tool.js";

export class Cursor {
  constructor(canvas, tools) {
    Object.assign(this, { canvas, tools, hovering: false, panning: null, pointer: null, cross: null });
    this.ring = canvas.stage.querySelector(".al-ring");
  }

  // at: device pixels on the stage. The pointer takes over from the keyboard's cross.
  follow(at) {
    this.pointer = at;
    if (this.cross) this.hideCross();
    this.drawRing();
  }

  setHovering(hovering) {
    this.hovering = hovering;
    this.refresh();
  }

  // null, "grab" (ready to pan) or "grabbing".
  setPanning(panning) {
    this.panning = panning;
    this.refresh();
  }

  refresh() {
    const { mask, stage } = this.canvas;
    stage.dataset.cursor = this.panning ?? this.tools.name;
    const brush = this.tools.tool instanceof StrokeTool;
    this.ring.hidden = !brush || !mask || Boolean(this.panning) || !(this.hovering || this.cross);
    this.drawRing();
  }

  // The ring lies where the brush would paint: snapped to pixels, as large as the brush at this zoom.
  drawRing() {
    const { view } = this.canvas;
    if (this.ring.hidden) return;
    const at = this.cross ?? (this.pointer && view.toImage(this.pointer));
    if (!at) return;
    const centre = view.toDevice(snapToPixels(at, this.tools.diameter));
    const size = Math.max(3, (this.tools.diameter * view.scale) / devicePixelRatio);
    const x = centre.x / devicePixelRatio - size / 2;
    const y = centre.y / devicePixelRatio - size / 2;
    if (this.ringSize !== size) Object.assign(this.ring.style, { width: `${size}px`, height: `${size}px` });
    this.ringSize = size;
    this.ring.style.transform = `translate(${x}px, ${y}px)`;
  }

  // The device point that zooming keeps in place; undefined: the middle of the stage.
  get anchor() {
    if (this.cross) return this.canvas.view.toDevice(this.cross);
    return this.hovering ? this.pointer ?? undefined : undefined;
  }

  // --- by keyboard ---

  // Moves the cross by some 8 px of the screen, a pixel of the image at least; it starts in the middle of what is seen.
  moveCross(dx, dy) {
    const { view, image } = this.canvas;
    const step = Math.max(1, Math.round((8 * devicePixelRatio) / view.scale));
    const from = this.cross ?? view.toImage({ x: view.width / 2, y: view.height / 2 });
    const to = (value, by, size) => Math.min(size - 1, Math.max(0, Math.floor(value) + by * step)) + 0.5;
    this.cross = { x: to(from.x, dx, image.width), y: to(from.y, dy, image.height) };
    this.bringIntoView(view.toDevice(this.cross));
    if (this.tools.pressed) this.tools.drag(this.cross);
    else this.tools.hover(this.cross);
    this.refresh();
    this.canvas.pointAt(this.cross);
  }

  bringIntoView({ x, y }) {
    const { view } = this.canvas;
    const margin = 40;
    const beyond = (at, size) => Math.min(0, at - margin) + Math.max(0, at - (size - margin));
    const [right, down] = [beyond(x, view.width), beyond(y, view.height)];
    if (right || down) this.canvas.panBy(-right, -down);
  }

  // Puts the tool down at the cross, or lifts it. A tool that needs one press only is lifted at once.
  pressCross(opposite) {
    if (!this.cross) this.moveCross(0, 0);
    if (this.tools.pressed) {
      this.tools.release();
      return;
    }
    this.tools.press(this.cross, opposite);
    if (["polygon", "fill"].includes(this.tools.name)) this.tools.release();
  }

  hideCross() {
    this.cross = null;
    this.refresh();
    this.tools.drawSketch();
  }
}
