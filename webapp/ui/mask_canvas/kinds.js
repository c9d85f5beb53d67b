// Kinds of defect: which region of the mask is chosen, which kind each has, and when that is sent.
// What is chosen for painting that is not saved yet is sent with the save.

import { bus } from "../shared/bus.js";
import { sentJson } from "../shared/dialog.js";
import { currentProject, getJson, request } from "../shared/net.js";
import { t } from "../shared/texts.js";
import { BinaryMask } from "./bitmap.js";
import { KindRow } from "./kind_row.js";
import { isInside, markedRegions } from "./marked_regions.js";

export class Kinds {
  constructor(canvas) {
    this.canvas = canvas;
    Object.assign(this, { book: [], namings: [], regions: [], chosen: 0, changed: false, shown: "", problem: "" });
    this.row = new KindRow(canvas.root, this);
    bus.on("kinds-changed", () => this.load());
    this.load();
  }

  async load() {
    this.book = await getJson(`/defects?${new URLSearchParams({ project: currentProject() })}`).catch(() => this.book);
    this.maskChanged();
  }

  // Whether the image is called anomalous as a whole, so that it has one kind.
  get whole() {
    const { image, mask, history } = this.canvas;
    return image?.annotation?.label === "anomalous" && !image.annotation.area && !mask.area && !history.dirty;
  }

  // The image as the server has it now; what was chosen and not sent yet stays.
  imageChanged() {
    const { image } = this.canvas;
    const defects = image?.annotation?.defects ?? [];
    const now = JSON.stringify([image?.id, image?.annotation?.revision, defects]);
    if (now === this.shown) return;
    const same = this.imageId === image?.id;
    Object.assign(this, { shown: now, imageId: image?.id, changed: same && this.changed });
    if (!same) this.chosen = 0;
    if (!this.changed) this.namings = defects.map(({ kind_id, x, y }) => ({ kind_id, x, y }));
    this.maskChanged();
  }

  // Regions are found once a frame at most, and only where there are kinds to give them.
  maskChanged() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.regions = this.book.length && this.canvas.mask ? markedRegions(this.canvas.mask) : [];
      this.chosen = Math.min(this.chosen, Math.max(0, this.regions.length - 1));
      this.row.show(this);
    });
  }

  kindOf(region) {
    const naming = this.namings.find((one) => (region ? one.x !== null && isInside(region, one) : one.x === null));
    return naming && this.book.find((kind) => kind.id === naming.kind_id);
  }

  choose(index) {
    this.chosen = index;
    this.row.show(this);
  }

  step(by) {
    const count = this.regions.length;
    if (count) this.choose((this.chosen + by + count) % count);
  }

  // Whether a key is a kind's own; then its kind is given.
  takesKey(key) {
    const kind = this.book.find((one) => one.key === key);
    if (kind) this.give(kind);
    return Boolean(kind);
  }

  // Gives the chosen region a kind, or takes it away where it has that one; then the next region without one is chosen.
  async give(kind) {
    const region = this.regions[this.chosen];
    if (!region && !this.whole) {
      this.canvas.panel.say(t("kinds.nothing"), "notice");
      return;
    }
    const had = this.kindOf(region);
    this.namings = this.namings.filter((one) => (region ? one.x === null || !isInside(region, one) : false));
    if (had !== kind) this.namings.push({ kind_id: kind.id, x: region?.x ?? null, y: region?.y ?? null });
    this.changed = true;
    const next = this.regions.findIndex((one) => !this.kindOf(one));
    if (had !== kind && next >= 0) this.chosen = next;
    this.row.show(this);
    const { image, history } = this.canvas;
    if (image.annotation && !history.dirty) await this.send(image.id, image.annotation.revision, this.regions);
  }

  // A decision was saved as this revision: what was chosen for it goes with it.
  async saved({ revision, label, area }, decision) {
    if (!this.changed) return;
    const regions = decision instanceof BinaryMask ? markedRegions(decision) : [];
    this.changed = label === "anomalous" && (regions.length > 0 || !area);
    if (this.changed) await this.send(this.canvas.image.id, revision, regions);
  }

  async send(id, revision, regions) {
    const defects = this.namings.filter((one) => (regions.length ? regions.some((region) => one.x !== null && isInside(region, one)) : one.x === null));
    const annotation = await this.patch(id, revision, { defects });
    if (annotation) this.changed = false;
  }

  comment(text) {
    const { image } = this.canvas;
    if (image?.annotation && text !== image.annotation.comment) this.patch(image.id, image.annotation.revision, { comment: text });
  }

  async patch(id, revision, reasons) {
    try {
      const options = sentJson("PATCH", reasons);
      options.headers["If-Match"] = String(revision);
      const annotation = await (await request(`/images/${id}/annotation`, options)).json();
      const { image } = this.canvas;
      if (image?.id === id && image.annotation?.revision === revision) {
        this.canvas.image = { ...image, annotation };
        this.canvas.panel.say(t("kinds.saved"));
        bus.emit("image-changed", { image: this.canvas.image });
      }
      return annotation;
    } catch (error) {
      this.problem = error.message;
      this.complain();
      return null;
    }
  }

  // Tells what went wrong, also after a save has told of itself.
  complain() {
    if (this.problem) this.canvas.panel.say(this.problem, "error");
    this.problem = "";
  }
}
