// The list of files and what happened to each. Thousands of them: rows are changed in place, totals once a frame.

import { bus } from "../shared/bus.js";
import { node } from "../shared/dom.js";
import { t } from "../shared/texts.js";

const FINISHED = ["kept", "duplicate", "failed", "unsent", "cancelled"];
const NAMED = 5; // of the files that were passed over
const RETRYABLE = ["unsent", "cancelled"];

export class UploadList {
  constructor(part) {
    Object.assign(this, { part, items: [], passedOver: [], scheduled: false });
  }

  get idle() {
    return this.items.every((item) => FINISHED.includes(item.state));
  }

  get retryable() {
    return this.items.filter((item) => RETRYABLE.includes(item.state));
  }

  add(found, passedOver) {
    for (const item of found) {
      const name = node("span", { class: "al-upload-name", title: item.name }, item.name);
      item.row = node("li", { "data-testid": "upload-item" }, name, node("span", { class: "al-upload-outcome" }), node("i"), node("p"));
      Object.assign(item, { sent: 0, state: "waiting", error: "" });
      this.change(item);
    }
    this.items.push(...found);
    this.passedOver.push(...passedOver);
    this.part("upload-list").append(...found.map((item) => item.row));
    this.part("upload-panel").hidden = false;
    this.showTotals();
  }

  change(item) {
    const { row, state, sent, error } = item;
    row.dataset.state = state;
    row.style.setProperty("--sent", sent);
    row.children[1].textContent = state === "sending" ? (sent < 1 ? `${Math.round(sent * 100)} %` : t("upload.checking")) : t(`upload.state.${state}`);
    row.children[3].textContent = error ?? "";
    if (state === "failed" || state === "unsent") this.part("upload-list").prepend(row);
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => this.showTotals());
  }

  clear() {
    Object.assign(this, { items: [], passedOver: [] });
    this.part("upload-list").replaceChildren();
    this.part("upload-panel").hidden = true;
    bus.emit("upload-progress", { text: "" });
  }

  showTotals() {
    this.scheduled = false;
    if (!this.items.length && !this.passedOver.length) return;
    const counts = {};
    let sent = 0;
    for (const item of this.items) {
      counts[item.state] = (counts[item.state] ?? 0) + 1;
      sent += FINISHED.includes(item.state) ? 1 : item.sent * 0.9;
    }
    const share = this.items.length ? Math.round((100 * sent) / this.items.length) : 100;
    const { part, idle } = this;
    part("upload-bar").setAttribute("aria-valuenow", share);
    part("upload-bar").style.setProperty("--share", `${share}%`);
    part("upload-panel").dataset.state = !idle ? "sending" : counts.failed || counts.unsent || counts.cancelled ? "failed" : "done";
    part("upload-close").hidden = !idle;
    part("upload-cancel").hidden = idle;
    part("upload-retry").hidden = !idle || !this.retryable.length;
    part("upload-retry").textContent = t("upload.retry", { number: this.retryable.length });
    const words = idle ? this.finishedWords(counts) : this.progressWords(counts);
    part("upload-summary").textContent = words;
    bus.emit("upload-progress", { text: idle ? words : t("upload.adding", { words }) });
  }

  progressWords(counts) {
    return t("progress", { done: FINISHED.reduce((sum, state) => sum + (counts[state] ?? 0), 0), count: this.items.length });
  }

  finishedWords(counts) {
    const words = [t("upload.count.kept", { number: counts.kept ?? 0 })];
    for (const state of ["duplicate", "failed", "unsent", "cancelled"]) if (counts[state]) words.push(t(`upload.count.${state}`, { number: counts[state] }));
    const { length } = this.passedOver;
    if (length) {
      const named = this.passedOver.slice(0, NAMED).map((path) => path.split("/").at(-1));
      words.push(`${t("upload.passed_over", { count: length })} (${named.join(", ")}${length > NAMED ? ", …" : ""})`);
    }
    return words.join(", ");
  }
}
