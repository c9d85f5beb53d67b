// The canvas as a whole: which image is open, its mask and its history, and what must happen after each step.

import { bus } from "../shared/bus.js";
import { pollWhileVisible } from "../shared/dom.js";
import { t } from "../shared/texts.js";
import { Ahead } from "./ahead.js";
import { Decisions } from "./decisions.js";
import { Drafts } from "./drafts.js";
import { Edit, History, replaceTiles } from "./history.js";
import { Layers } from "./layers.js";
import { Look } from "./look.js";
import { Kinds } from "./kinds.js";
import { lookForNews } from "./news.js";
import { Panel } from "./panel.js";
import { onPixelRatioChange } from "./pixel_ratio.js";
import { Pointers } from "./pointers.js";
import { loadRecord } from "./records.js";
import { RegionUse } from "./region_use.js";
import { ShownMap } from "./shown_map.js";
import { Tools } from "./tools.js";
import { View } from "./view.js";
import { restoredWords } from "./words.js";

export class Canvas {
  constructor(root) {
    this.root = root;
    this.stage = root.querySelector("[data-testid=stage]");
    this.dialog = root.querySelector("[data-testid=dialog]");
    Object.assign(this, { image: null, mask: null, field: null, picture: null, revision: 0, opening: 0 });
    this.view = new View();
    this.layers = new Layers(this.stage, this.view);
    this.history = new History();
    this.ahead = new Ahead((image) => this.shownMap.of(image));
    this.drafts = new Drafts(
      (error) => this.panel.say(t("canvas.no_drafts", { reason: error.message }), "error"),
      (imageId) => this.image?.id === imageId && this.history.dirty && this.keepUnsaved(),
    );
    this.decisions = new Decisions(this);
    this.tools = new Tools(this);
    this.pointers = new Pointers(this.stage, this);
    this.panel = new Panel(root, this);
    this.look = new Look(this);
    this.kinds = new Kinds(this);
    this.shownMap = new ShownMap(this);
    this.regionUse = new RegionUse(this);
    this.tools.changed();
    new ResizeObserver(() => this.fitStage()).observe(this.stage);
    onPixelRatioChange(() => this.fitStage()); // the stage's size in CSS pixels may stay as it is
    addEventListener("beforeunload", (event) => this.unsaved && event.preventDefault());
    addEventListener("pagehide", () => {
      this.tools.finish();
      this.drafts.leave();
    });
    pollWhileVisible(root, 2000, () => lookForNews(this));
  }

  fitStage() {
    const { clientWidth, clientHeight } = this.stage;
    if (!clientWidth || !clientHeight) return;
    this.view.resize(Math.round(clientWidth * devicePixelRatio), Math.round(clientHeight * devicePixelRatio));
    this.layers.resize(this.view.width, this.view.height);
    this.viewChanged();
  }

  // --- which image ---

  async open(id) {
    await this.decisions.pending;
    if (this.image?.id === id || !(await this.decisions.mayLeave())) return;
    const turn = ++this.opening;
    this.panel.setBusy(true);
    try {
      const [ready, draft] = await Promise.all([this.ahead.take(id), this.drafts.read(id)]);
      const record = ready ?? (await loadRecord(id, (image) => this.shownMap.of(image)));
      if (turn !== this.opening) return record.picture.close();
      this.show(record);
      if (draft) this.restore(draft);
      if (ready) lookForNews(this); // it may be some minutes old
    } catch (error) {
      if (turn === this.opening) this.panel.say(error.message, "error");
    } finally {
      if (turn === this.opening) this.panel.setBusy(false);
    }
  }

  show({ image, picture, mask, field, map }) {
    this.picture?.close();
    Object.assign(this, { picture, mask, field, history: new History() });
    this.setImage(image);
    this.view.setImage(image.width, image.height);
    this.refresh();
    this.viewChanged();
    this.panel.say("");
    history.replaceState(null, "", `${location.search}#image=${image.id}`);
    bus.emit("image-opened", { image });
    if (map !== this.shownMap.of(image)) this.shownMap.choose(this.shownMap.of(image)); // it was fetched before a choice
  }

  // The image as the server has it now. Unsaved painting keeps the revision that it began with, so that saving it
  // tells of a conflict.
  setImage(image, { begunWith = image.annotation?.revision ?? 0 } = {}) {
    this.image = image;
    this.revision = begunWith;
  }

  setField(field) {
    this.field = field;
    this.refresh();
  }

  refresh() {
    this.layers.setContent(this);
    this.panel.show(this);
    this.tools.changed();
  }

  // Unsaved painting of an earlier visit, as a step that can be undone.
  restore(draft) {
    if (draft.sha256 !== this.image.sha256) return; // another installation's image, served at this address before
    const edit = replaceTiles(this.mask, (tile) => draft.tiles.get(tile) ?? 0);
    if (edit.tiles.size === 0) {
      this.drafts.forget(draft.imageId); // it was saved after all
      return;
    }
    this.setImage(this.image, { begunWith: draft.revision });
    this.commit(edit);
    this.maskReplaced();
    this.panel.say(restoredWords(draft, this.image), "notice");
  }

  // --- the mask ---

  // Whether leaving now would lose something.
  get unsaved() {
    return this.history.dirty || this.tools.busy;
  }

  // A step that can be undone: work(mask, edit) changes the mask.
  change(work) {
    const edit = new Edit();
    work(this.mask, edit);
    this.commit(edit);
    this.maskReplaced();
  }

  commit(edit) {
    if (edit.tiles.size === 0) return;
    this.history.commit(edit);
    this.panel.showMask(this);
    this.keepUnsaved(edit);
  }

  // Takes over the mask that the server has, as a step that can be undone.
  adopt(mask) {
    const edit = replaceTiles(this.mask, (tile) => mask.copyTile(tile));
    this.history.commit(edit);
    this.history.markSaved();
    this.keepUnsaved(edit);
    this.maskReplaced();
  }

  keepUnsaved(edit = new Edit()) {
    if (this.history.dirty) this.drafts.keep(this, edit.tiles.keys());
    else this.drafts.forget(this.image.id);
  }

  undo() {
    if (this.tools.busy) this.tools.back();
    else this.stepped(this.mask && this.history.undo(this.mask));
  }

  redo() {
    if (!this.tools.busy) this.stepped(this.mask && this.history.redo(this.mask));
  }

  stepped(edit) {
    if (!edit) return;
    this.keepUnsaved(edit);
    this.maskReplaced();
  }

  maskReplaced() {
    this.layers.schedule({ mask: this.layers.whole });
    this.panel.showMask(this);
  }

  // --- looking ---

  zoomBy(factor, anchor) {
    this.zoomTo(this.view.scale * factor, anchor);
  }

  // 1: a pixel of the image is a pixel of the screen. Around the cross or the pointer where there is one.
  zoomTo(scale, anchor = this.tools.cursor.anchor) {
    this.view.zoomTo(scale, anchor);
    this.viewChanged();
  }

  fit() {
    this.view.fit();
    this.viewChanged();
  }

  panBy(dx, dy) {
    this.view.pan(dx, dy);
    this.viewChanged();
  }

  viewChanged() {
    this.layers.redraw();
    this.panel.showView(this.view, this.image);
    this.kinds?.row.place();
    this.tools.cursor.drawRing();
    this.tools.drawSketch();
  }

  // Where the pointer is, in image pixels, or null; told once a frame.
  pointAt(point) {
    if (this.pointed === undefined) requestAnimationFrame(() => this.tellPoint());
    this.pointed = point;
  }

  tellPoint() {
    this.panel.showPointer(this.pointed, this);
    this.pointed = undefined;
  }

  setThreshold(threshold) {
    this.layers.threshold = threshold;
    this.layers.schedule({ outline: true });
    this.panel.showThreshold(this);
  }
}
