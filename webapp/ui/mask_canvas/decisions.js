// What a person decides of an image: save the mask, accept the model's, or "normal"; and what happens when that fails,
// when someone else saved in between, and when one leaves without.

import { bus } from "../shared/bus.js";
import { getJson } from "../shared/net.js";
import { t } from "../shared/texts.js";
import { BinaryMask } from "./bitmap.js";
import { ask } from "./dialog.js";
import { preferences } from "./preferences.js";
import { loadMask, putAnnotation } from "./records.js";
import { maskOfMap } from "./whole_mask.js";
import { keptWords, savedWords } from "./words.js";

const MOST = 0.9; // a larger share of an image is often painted by mistake

export class Decisions {
  constructor(canvas) {
    Object.assign(this, { canvas, pending: null });
  }

  // Saves what is painted; an empty mask says that the image is normal. Resolves to true when it is saved.
  async save() {
    const { canvas } = this;
    canvas.tools.finish();
    if (!(await this.settled())) return false;
    if (!canvas.history.dirty && canvas.image.annotation) {
      canvas.panel.say(t("decide.saved_already", { revision: canvas.image.annotation.revision }));
      return true;
    }
    if (!(await this.meantSo())) return false;
    const { top } = canvas.history;
    const decision = canvas.mask.area > 0 ? canvas.mask : { label: "normal" };
    return this.put(decision, () => {
      canvas.history.saved = top;
      canvas.keepUnsaved();
    });
  }

  // A mask of nothing, or of nearly all, is asked about before it counts as a label.
  async meantSo() {
    const { canvas } = this;
    const share = canvas.mask.area / (canvas.image.width * canvas.image.height);
    if (share > 0 && share <= MOST) return true;
    const what = share > 0 ? "nearly_all" : "nothing";
    const choice = await ask(canvas.dialog, {
      title: t(`decide.${what}`, { percent: (100 * share).toFixed(1) }),
      text: t(`decide.${what}.text`),
      choices: { save: t(`decide.${what}.save`) },
    });
    return choice === "save";
  }

  // Accepts what is seen: the result in service, or the map that is shown in its place, as a mask.
  async accept() {
    const { canvas } = this;
    if (!(await this.mayDecide("accept")) || canvas.image.score === null) return;
    if (canvas.shownMap.of(canvas.image) !== "service") return this.acceptShown();
    await this.put({ accept: true, prompt_version: canvas.image.prompt_version ?? 0 }, async (image) => canvas.adopt(await loadMask(image)));
  }

  async acceptShown() {
    const { canvas } = this;
    const mask = maskOfMap(canvas.field, canvas.image);
    if (mask.area === 0) {
      canvas.panel.say(t("decide.nothing_shown", { threshold: canvas.image.map_threshold.toFixed(3) }), "error");
      return;
    }
    await this.put(mask, () => canvas.adopt(mask));
  }

  // Something is wrong, and nobody says where.
  async markAnomalous() {
    const { canvas } = this;
    if (!(await this.mayDecide("anomalous"))) return;
    await this.put({ label: "anomalous" }, (image) => canvas.adopt(new BinaryMask(image.width, image.height)));
  }

  async markNormal() {
    const { canvas } = this;
    if (!(await this.mayDecide("normal"))) return;
    await this.put({ label: "normal" }, (image) => canvas.adopt(new BinaryMask(image.width, image.height)));
  }

  async mayDecide(what) {
    this.canvas.tools.finish();
    if (!(await this.settled())) return false;
    if (!this.canvas.history.dirty) return true;
    const choice = await ask(this.canvas.dialog, {
      title: t(`decide.${what}.instead`),
      text: t("decide.replaced"),
      choices: { replace: t(`decide.${what}`) },
    });
    return choice === "replace";
  }

  // Resolves to true when nothing unsaved would be lost, after asking if something would.
  async mayLeave() {
    const { canvas } = this;
    canvas.tools.finish();
    if (!canvas.history.dirty) return true;
    const choice = await ask(canvas.dialog, {
      title: t("leave.title"),
      text: t("leave.text", { name: canvas.image.file_name }),
      choices: { save: t("save"), discard: t("canvas.kept.discard") },
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
      await canvas.kinds.saved(await putAnnotation(canvas.image.id, canvas.revision, decision), decision);
      canvas.setImage(await getJson(`/images/${canvas.image.id}`));
      await after(canvas.image);
      canvas.panel.show(canvas);
      canvas.panel.say(savedWords(canvas.image.annotation));
      canvas.kinds.complain();
      bus.emit("image-changed", { image: canvas.image });
      return true;
    } catch (error) {
      if (error.status === 409 && error.kind !== "map-changed") return await this.resolveConflict(decision, after).catch((failure) => this.failed(failure));
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
    const { revision, author } = image.annotation ?? { revision: 0, author: t("someone") };
    const choice = await ask(canvas.dialog, {
      title: t("conflict.title"),
      text: t("conflict.text", { revision, author }),
      choices: { reload: t("conflict.theirs"), overwrite: t("conflict.mine") },
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
