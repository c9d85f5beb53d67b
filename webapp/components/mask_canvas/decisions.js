// What a person decides of an image: save the mask, accept the model's, or "normal"; and what happens when that fails,
// when someone else saved in between, and when one leaves without.

class Decisions {
  constructor(canvas) {
    Object.assign(this, { canvas, pending: null });
  }

  // Saves what is painted; an empty mask says that the image is normal. Resolves to true when it is saved.
  async save() {
    const { canvas } = this;
    canvas.tools.finish();
    if (!(await this.settled())) return false;
    if (!canvas.history.dirty && canvas.image.annotation) {
      canvas.panel.say(`Saved already, revision ${canvas.image.annotation.revision}.`);
      return true;
    }
    const { top } = canvas.history;
    const decision = canvas.mask.area > 0 ? canvas.mask : { label: "normal" };
    return this.put(decision, () => {
      canvas.history.saved = top;
      canvas.keepUnsaved();
    });
  }

  async accept() {
    const { canvas } = this;
    if (!(await this.mayDecide("Accept the model's result")) || canvas.image.score === null) return;
    await this.put({ accept: true }, async (image) => canvas.adopt(await loadMask(image)));
  }

  async markNormal() {
    const { canvas } = this;
    if (!(await this.mayDecide("Mark the image normal"))) return;
    await this.put({ label: "normal" }, (image) => canvas.adopt(new BinaryMask(image.width, image.height)));
  }

  async mayDecide(what) {
    this.canvas.tools.finish();
    if (!(await this.settled())) return false;
    if (!this.canvas.history.dirty) return true;
    const choice = await ask(this.canvas.dialog, {
      title: `${what} instead of your painting?`,
      text: "What you painted since the last save would be replaced. Undo brings it back as long as the image is open.",
      choices: { replace: what },
    });
    return choice === "replace";
  }

  // Resolves to true when nothing unsaved would be lost, after asking if something would.
  async mayLeave() {
    const { canvas } = this;
    canvas.tools.finish();
    if (!canvas.history.dirty) return true;
    const choice = await ask(canvas.dialog, {
      title: "Save your changes first?",
      text: `What you painted on ${canvas.image.file_name} is not saved yet.`,
      choices: { save: "Save", discard: "Discard" },
    });
    if (choice === "save") return this.save();
    if (choice !== "discard") return false;
    canvas.history.markSaved();
    canvas.keepUnsaved();
    return true;
  }

  // Waits for the save in progress; false when no image is open, or another one then.
  async settled() {
    const id = this.canvas.image?.id;
    while (this.pending) await this.pending;
    return id !== undefined && this.canvas.image.id === id;
  }

  // Sends a decision; `after` gets the image as the server has it then. Resolves to true when it was saved.
  async put(decision, after) {
    if (this.pending) return false;
    this.pending = this.send(decision, after).finally(() => (this.pending = null));
    const saved = await this.pending;
    if (saved && preferences.read("go-on", false)) bus.emit("step", { by: 1 });
    return saved;
  }

  async send(decision, after) {
    const { canvas } = this;
    canvas.panel.setBusy(true);
    try {
      await putAnnotation(canvas.image.id, canvas.revision, decision);
      canvas.setImage(await getJson(`/images/${canvas.image.id}`));
      await after(canvas.image);
      canvas.panel.show(canvas);
      canvas.panel.say(savedWords(canvas.image.annotation));
      bus.emit("image-changed", { image: canvas.image });
      return true;
    } catch (error) {
      if (error.status === 409) return await this.resolveConflict(decision, after).catch((failure) => this.failed(failure));
      return this.failed(error);
    } finally {
      canvas.panel.setBusy(false);
    }
  }

  failed(error) {
    this.canvas.panel.say(this.canvas.history.dirty ? keptWords(error) : error.message, "error");
    return false;
  }

  async resolveConflict(decision, after) {
    const { canvas } = this;
    const image = await getJson(`/images/${canvas.image.id}`);
    const { revision, author } = image.annotation ?? { revision: 0, author: "someone" };
    const choice = await ask(canvas.dialog, {
      title: "Someone else saved in between",
      text: `Revision ${revision} by ${author} is newer than what you opened. Yours is not saved yet. After loading theirs, Undo brings yours back.`,
      choices: { reload: "Load theirs", overwrite: "Save mine as the newest" },
    });
    if (choice === "cancel") return false;
    const theirs = choice === "reload" ? await loadMask(image) : null;
    canvas.setImage(image);
    if (!theirs) return this.send(decision, after);
    canvas.adopt(theirs);
    canvas.panel.show(canvas);
    return false;
  }
}
