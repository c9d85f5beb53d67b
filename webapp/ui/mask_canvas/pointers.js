// What mouse, pen and fingers on the stage mean: use the tool, pan, or zoom by two fingers.
// A pen's pressure changes nothing: a mask has no half-set pixels, and a brush that keeps its size can be repeated.

// A second finger this soon (CSS pixels of travel) means that the first did not want to paint.
const SMALL_TRAVEL = 12;
const PEN_ERASER = 32;

export class Pointers {
  constructor(stage, canvas) {
    Object.assign(this, { stage, canvas, action: null, spaceHeld: false, penSeen: false });
    this.fingers = new Map();
    stage.addEventListener("pointerdown", (event) => this.down(event));
    stage.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) stage.addEventListener(name, (event) => this.up(event));
    stage.addEventListener("pointerenter", (event) => this.enter(event));
    stage.addEventListener("pointerleave", () => this.leave());
    stage.addEventListener("dblclick", () => this.canvas.tools.tool.finish && this.canvas.tools.finish());
    stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    for (const name of ["auxclick", "contextmenu"]) stage.addEventListener(name, (event) => event.preventDefault());
  }

  get cursor() {
    return this.canvas.tools.cursor;
  }

  holdSpace(held) {
    this.spaceHeld = held;
    if (!this.action) this.cursor.setPanning(held ? "grab" : null);
  }

  enter(event) {
    if (event.pointerType === "touch") return;
    this.cursor.follow(this.devicePoint(event));
    this.cursor.setHovering(true);
  }

  leave() {
    this.cursor.setHovering(false);
    this.canvas.pointAt(null);
  }

  down(event) {
    if (!this.canvas.mask || ![0, 1, 5].includes(event.button)) return;
    event.preventDefault();
    this.stage.focus({ preventScroll: true });
    this.stage.setPointerCapture(event.pointerId);
    const at = this.devicePoint(event);
    if (event.pointerType === "touch" && this.fingerDown(event.pointerId, at)) return;
    if (event.pointerType === "pen") this.penSeen = true;
    if (this.action) return;
    // Whoever paints with a pen rests a hand on the screen: fingers pan then.
    const pan = event.button === 1 || this.spaceHeld || (event.pointerType === "touch" && this.penSeen);
    this.action = { pointer: event.pointerId, pan, at, travel: 0 };
    this.cursor.follow(at);
    if (pan) this.cursor.setPanning("grabbing");
    else this.canvas.tools.press(this.imagePoint(at), event.shiftKey || Boolean(event.buttons & PEN_ERASER));
  }

  move(event) {
    const at = this.devicePoint(event);
    if (this.fingers.has(event.pointerId) && this.pinch) {
      this.pinchTo(event.pointerId, at);
      return;
    }
    this.cursor.follow(at);
    this.canvas.pointAt(this.imagePoint(at));
    if (!this.action) this.canvas.tools.hover(this.imagePoint(at));
    if (event.pointerId !== this.action?.pointer) return;
    this.action.travel += Math.hypot(at.x - this.action.at.x, at.y - this.action.at.y) / devicePixelRatio;
    if (this.action.pan) this.canvas.panBy(at.x - this.action.at.x, at.y - this.action.at.y);
    else this.drag(event);
    this.action.at = at;
  }

  // Fast movement comes as one event that holds several.
  drag(event) {
    const steps = event.getCoalescedEvents?.() ?? [];
    for (const step of steps.length ? steps : [event]) this.canvas.tools.drag(this.imagePoint(this.devicePoint(step)));
  }

  up(event) {
    this.fingers.delete(event.pointerId);
    if (this.fingers.size === 0) this.pinch = null;
    if (event.pointerId !== this.action?.pointer) return;
    const { pan } = this.action;
    this.action = null;
    if (pan) this.cursor.setPanning(this.spaceHeld ? "grab" : null);
    else this.canvas.tools.release();
  }

  wheel(event) {
    if (!this.canvas.mask) return;
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 33 : 1;
    const step = Math.max(-240, Math.min(240, event.deltaY * lines));
    this.canvas.zoomBy(Math.exp(-step * 0.0022), this.devicePoint(event));
  }

  // --- fingers ---

  // True when this finger does not use the tool: it is the second or a later one.
  fingerDown(pointer, at) {
    this.fingers.set(pointer, at);
    if (this.fingers.size < 2) return false;
    if (this.action && !this.action.pan) this.endStrokeOfFirstFinger();
    this.action = null;
    this.cursor.setPanning(null);
    this.pinch = this.spread();
    return true;
  }

  endStrokeOfFirstFinger() {
    if (this.action.travel > SMALL_TRAVEL) this.canvas.tools.release();
    else this.canvas.tools.back();
  }

  // The middle of the first two fingers and their distance, in device pixels; null while fewer than two are down.
  spread() {
    const [a, b] = this.fingers.values();
    if (!b) return null;
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, distance: Math.max(1, Math.hypot(a.x - b.x, a.y - b.y)) };
  }

  pinchTo(pointer, at) {
    this.fingers.set(pointer, at);
    const now = this.spread();
    if (!now) return;
    const { x, y, distance } = this.pinch;
    this.canvas.panBy(now.x - x, now.y - y);
    this.canvas.zoomBy(now.distance / distance, now);
    this.pinch = now;
  }

  // --- where ---

  devicePoint(event) {
    // The stage does not move during a stroke; asking then would force a layout for every event.
    if (!this.action || !this.box) this.box = this.stage.getBoundingClientRect();
    return { x: (event.clientX - this.box.left) * devicePixelRatio, y: (event.clientY - this.box.top) * devicePixelRatio };
  }

  imagePoint(at) {
    return this.canvas.view.toImage(at);
  }
}
