// The pointer on the stage: painting, erasing and panning, and the ring that shows the brush. Saves nothing.

const LARGEST_BRUSH = 400;

class Tools {
  constructor(stage, canvas) {
    Object.assign(this, { stage, canvas, tool: "brush", diameter: 24, spaceHeld: false, hovering: false, drag: null });
    this.ring = stage.querySelector(".al-ring");
    stage.addEventListener("pointerdown", (event) => this.down(event));
    stage.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) stage.addEventListener(name, (event) => this.up(event));
    stage.addEventListener("pointerenter", (event) => {
      this.placeRing(event);
      this.setHovering(true);
    });
    stage.addEventListener("pointerleave", () => this.setHovering(false));
    stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    stage.addEventListener("auxclick", (event) => event.preventDefault());
    this.refresh();
  }

  choose(tool) {
    this.tool = tool;
    this.refresh();
  }

  setDiameter(diameter) {
    this.diameter = Math.min(LARGEST_BRUSH, Math.max(1, Math.round(diameter)));
    this.refresh();
  }

  // One step of [ or ]: a pixel at a time while small, some 15 % when large.
  resize(direction) {
    this.setDiameter(this.diameter + direction * Math.max(1, Math.round(this.diameter * 0.15)));
  }

  holdSpace(held) {
    this.spaceHeld = held;
    this.refresh();
  }

  setHovering(hovering) {
    this.hovering = hovering;
    this.refresh();
    if (!hovering) this.canvas.pointAt(null);
  }

  down(event) {
    if (!this.canvas.mask || this.drag || event.button > 1) return;
    event.preventDefault();
    this.stage.focus({ preventScroll: true });
    this.stage.setPointerCapture(event.pointerId);
    const at = this.devicePoint(event);
    if (event.button === 1 || this.spaceHeld) {
      this.drag = { pointer: event.pointerId, pan: at };
    } else {
      this.drag = { pointer: event.pointerId, edit: new Edit(), value: this.tool === "brush" ? 1 : 0 };
      this.drag.last = this.brushPoint(at);
      this.stroke(this.drag.last);
    }
    this.refresh();
  }

  move(event) {
    const at = this.devicePoint(event);
    this.placeRing(event);
    this.canvas.pointAt(this.canvas.view.toImage(at));
    if (event.pointerId !== this.drag?.pointer) return;
    if (this.drag.pan) {
      this.canvas.panBy(at.x - this.drag.pan.x, at.y - this.drag.pan.y);
      this.drag.pan = at;
    } else {
      const moves = event.getCoalescedEvents?.() ?? [];
      for (const step of moves.length ? moves : [event]) this.stroke(this.brushPoint(this.devicePoint(step)));
    }
  }

  up(event) {
    if (event.pointerId !== this.drag?.pointer) return;
    const { edit } = this.drag;
    this.drag = null;
    if (edit) this.canvas.commit(edit);
    this.refresh();
  }

  stroke(to) {
    const { last: from, edit, value } = this.drag;
    const { mask, layers } = this.canvas;
    strokeSpans(from, to, this.diameter, mask.width, mask.height, (y, x0, x1) => mask.fillSpan(y, x0, x1, value, edit));
    const reach = this.diameter / 2 + 1;
    layers.maskChanged(
      Math.min(from.x, to.x) - reach, Math.min(from.y, to.y) - reach,
      Math.max(from.x, to.x) + reach, Math.max(from.y, to.y) + reach,
    );
    this.drag.last = to;
  }

  wheel(event) {
    if (!this.canvas.mask) return;
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 33 : 1;
    const step = Math.max(-240, Math.min(240, event.deltaY * lines));
    this.canvas.zoomBy(Math.exp(-step * 0.0022), this.devicePoint(event));
    this.placeRing(event);
  }

  devicePoint(event) {
    const box = this.stage.getBoundingClientRect();
    return { x: (event.clientX - box.left) * devicePixelRatio, y: (event.clientY - box.top) * devicePixelRatio };
  }

  brushPoint(at) {
    return snapToPixels(this.canvas.view.toImage(at), this.diameter);
  }

  // The ring lies where the brush would paint: snapped to pixels, as large as the brush at this zoom.
  placeRing(event) {
    this.ringEvent = { clientX: event.clientX, clientY: event.clientY };
    this.drawRing();
  }

  drawRing() {
    if (!this.ringEvent || !this.canvas.mask) return;
    const { view } = this.canvas;
    const centre = this.brushPoint(this.devicePoint(this.ringEvent));
    const size = Math.max(3, (this.diameter * view.scale) / devicePixelRatio);
    const x = (view.x + centre.x * view.scale) / devicePixelRatio - size / 2;
    const y = (view.y + centre.y * view.scale) / devicePixelRatio - size / 2;
    Object.assign(this.ring.style, { width: `${size}px`, height: `${size}px`, transform: `translate(${x}px, ${y}px)` });
  }

  refresh() {
    const panning = this.spaceHeld || Boolean(this.drag?.pan);
    this.stage.dataset.cursor = panning ? (this.drag?.pan ? "grabbing" : "grab") : this.tool;
    this.ring.hidden = !this.hovering || panning || !this.canvas.mask;
    this.drawRing();
    this.canvas.toolsChanged?.();
  }
}
