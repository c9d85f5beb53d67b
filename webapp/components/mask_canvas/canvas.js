// The canvas as a whole: which image is open, what a person does with it, and what must happen after each step.

class Canvas {
  constructor(root) {
    this.root = root;
    this.stage = root.querySelector("[data-testid=stage]");
    this.dialog = root.querySelector("dialog");
    this.view = new View();
    this.layers = new Layers(this.stage, this.view);
    this.history = new History();
    Object.assign(this, { image: null, mask: null, field: null, picture: null, opening: 0, saving: null });
    this.tools = new Tools(this.stage, this);
    this.panel = new Panel(root, this);
    this.toolsChanged = () => this.panel.showTools(this.tools);
    this.toolsChanged();
    new ResizeObserver(() => this.fitStage()).observe(this.stage);
    addEventListener("beforeunload", (event) => this.history.dirty && event.preventDefault());
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
    await this.saving;
    if (this.image?.id === id || !(await this.mayLeave())) return;
    const turn = ++this.opening;
    this.panel.setBusy(true);
    try {
      const record = await loadRecord(id);
      if (turn === this.opening) this.show(record);
      else record.picture.close();
    } catch (error) {
      if (turn === this.opening) this.panel.say(error.message, "error");
    } finally {
      if (turn === this.opening) this.panel.setBusy(false);
    }
  }

  show({ image, picture, mask, field }) {
    this.picture?.close();
    this.picture = picture;
    this.setImage(image);
    this.view.setImage(image.width, image.height);
    this.setMask(mask);
    this.setField(field);
    this.viewChanged();
    this.panel.say("");
    history.replaceState(null, "", `${location.search}#image=${image.id}`);
    bus.emit("image-opened", { image });
  }

  setImage(image) {
    this.image = image;
    this.seenRevision = image.annotation?.revision;
  }

  setMask(mask) {
    this.mask = mask;
    this.history = new History();
    this.refresh();
  }

  setField(field) {
    this.field = field;
    this.refresh();
  }

  refresh() {
    this.layers.setContent(this);
    this.panel.show(this);
    this.tools.refresh();
  }

  // Resolves to true when nothing unsaved would be lost, after asking if something would.
  async mayLeave() {
    if (!this.history.dirty) return true;
    const choice = await ask(this.dialog, {
      title: "Save your changes first?",
      text: `What you painted on ${this.image.file_name} is not saved yet.`,
      choices: { save: "Save", discard: "Discard" },
    });
    if (choice === "save") return this.save();
    if (choice === "discard") this.history.markSaved();
    return choice === "discard";
  }

  // --- painting ---

  commit(edit) {
    this.history.commit(edit);
    this.panel.showMask(this);
  }

  undo() {
    if (this.mask && !this.tools.drag && this.history.undo(this.mask)) this.maskReplaced();
  }

  redo() {
    if (this.mask && !this.tools.drag && this.history.redo(this.mask)) this.maskReplaced();
  }

  clear() {
    if (!this.mask) return;
    const edit = new Edit();
    for (let y = 0; y < this.mask.height; y++) this.mask.fillSpan(y, 0, this.mask.width, 0, edit);
    this.commit(edit);
    this.maskReplaced();
  }

  startFromMap() {
    if (!this.mask || !this.field) return;
    const edit = new Edit();
    this.field.thresholdRuns(this.layers.threshold, (y, x0, x1, inside) =>
      this.mask.fillSpan(y, x0, x1, inside ? 1 : 0, edit),
    );
    this.commit(edit);
    this.maskReplaced();
  }

  maskReplaced() {
    this.layers.schedule({ mask: this.layers.whole });
    this.panel.showMask(this);
  }

  // --- looking ---

  zoomBy(factor, anchor) {
    this.view.zoom(factor, anchor);
    this.viewChanged();
  }

  actualSize() {
    this.view.zoomTo(1);
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
    this.tools.drawRing();
  }

  pointAt(point) {
    this.panel.showPointer(point, this);
  }

  setThreshold(threshold) {
    this.layers.threshold = threshold;
    this.layers.schedule({ outline: true });
    this.panel.showThreshold(this);
  }

  // --- deciding ---

  // Saves what is painted; an empty mask says that the image is normal.
  async save() {
    if (!(await this.settled())) return false;
    if (!this.history.dirty && this.image.annotation) {
      this.panel.say(`Saved already, revision ${this.image.annotation.revision}.`);
      return true;
    }
    const top = this.history.top;
    const decision = this.mask.area > 0 ? this.mask : { label: "normal" };
    return this.put(decision, () => (this.history.saved = top));
  }

  async accept() {
    if (!(await this.settled()) || this.image.score === null || !(await this.mayReplace("Accept the model's result"))) return;
    await this.put({ accept: true }, async (image) => this.setMask(await loadMask(image)));
  }

  async markNormal() {
    if (!(await this.settled()) || !(await this.mayReplace("Mark the image normal"))) return;
    await this.put({ label: "normal" }, () => this.setMask(new BinaryMask(this.image.width, this.image.height)));
  }

  // Waits for the save in progress; false when no image is open, or another one then.
  async settled() {
    const id = this.image?.id;
    while (this.saving) await this.saving;
    return id !== undefined && this.image.id === id;
  }

  async mayReplace(what) {
    if (!this.history.dirty) return true;
    const choice = await ask(this.dialog, {
      title: `${what} instead of your painting?`,
      text: "What you painted since the last save would be replaced.",
      choices: { replace: what },
    });
    return choice === "replace";
  }

  // Sends a decision; `after` gets the image as the server has it then. Resolves to true when it was saved.
  async put(decision, after) {
    if (this.saving) return false;
    this.saving = this.send(decision, after);
    const saved = await this.saving;
    this.saving = null;
    return saved;
  }

  async send(decision, after) {
    this.panel.setBusy(true);
    try {
      await putAnnotation(this.image, decision);
      this.setImage(await getJson(`/images/${this.image.id}`));
      await after(this.image);
      this.panel.show(this);
      this.panel.say(savedWords(this.image.annotation));
      bus.emit("image-changed", { image: this.image });
      return true;
    } catch (error) {
      if (error.status === 409) return await this.resolveConflict(decision, after);
      this.panel.say(error.message, "error");
      return false;
    } finally {
      this.panel.setBusy(false);
    }
  }

  async resolveConflict(decision, after) {
    const image = await getJson(`/images/${this.image.id}`);
    const { revision, author } = image.annotation ?? { revision: 0, author: "someone" };
    const choice = await ask(this.dialog, {
      title: "Someone else saved in between",
      text: `Revision ${revision} by ${author} is newer than what you opened. Yours is not saved yet.`,
      choices: { reload: "Load theirs", overwrite: "Save mine as the newest" },
    });
    if (choice === "cancel") return false;
    this.setImage(image);
    if (choice === "overwrite") return this.send(decision, after);
    this.setMask(await loadMask(image));
    return false;
  }
}
