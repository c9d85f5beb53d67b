// Buttons in the parts of Train that the server draws. Each part is drawn anew as a whole, so clicks are heard here.
// So are its times written here, in the viewer's own zone, before they are seen.

import { bus, openTab } from "../shared/bus.js";
import { formDialog, sentJson } from "../shared/dialog.js";
import { node } from "../shared/dom.js";
import { request } from "../shared/net.js";
import { LOCALE, t } from "../shared/texts.js";

export function mount(element, trigger) {
  // A part that is drawn anew may keep its elements and change their words alone.
  function writeTimes() {
    for (const time of element.querySelectorAll("time")) {
      const when = new Date(time.dateTime);
      const shown = when.toLocaleString(LOCALE, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
      if (time.textContent === shown) continue;
      time.title = when.toLocaleString(LOCALE, { dateStyle: "full", timeStyle: "long" });
      time.textContent = shown;
    }
  }
  new MutationObserver(writeTimes).observe(element, { childList: true, characterData: true, subtree: true });
  writeTimes();

  const field = (name) => element.querySelector(`[data-testid=${name}]`);

  function pause(button) {
    button.disabled = true;
    // The part is only drawn anew when something in it really changes.
    setTimeout(() => (button.disabled = false), 3000);
  }

  element.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button || button.disabled) return;
    const { activate, approve, decline, showRun, compare, compareChosen, note, openImage, openQueue } = button.dataset;
    if (activate) {
      pause(button);
      trigger("activate", { id: Number(activate) });
    } else if (approve) {
      decide("approve", approve, button.dataset.version);
    } else if (decline) {
      decide("decline", decline, button.dataset.version);
    } else if (showRun) {
      trigger("show_run", { id: Number(showRun) });
    } else if (compare) {
      const [first, second] = compare.split(",").map(Number);
      trigger("compare", { first, second });
    } else if (compareChosen !== undefined) {
      trigger("compare", { first: Number(field("compare-first").value), second: Number(field("compare-second").value) });
    } else if (note) {
      writeNote(note, button.dataset.version, button.dataset.text);
    } else if (openImage) {
      bus.emit("open-image", { id: Number(openImage) });
      openTab("inspect");
    } else if (openQueue !== undefined) {
      bus.emit("open-queue");
      openTab("inspect");
    }
  });

  // A second person's word on a version; why, where it is declined.
  function decide(what, id, version) {
    const title = t(`versions.${what}.title`, { version });
    const reason = node("textarea", { class: "al-input al-note", rows: 3, maxlength: 1000, required: true, "data-testid": "decline-reason", "aria-label": t("versions.decline.reason") });
    const words = node("p", {}, t(what === "approve" ? "versions.approve.about" : "versions.decline.reason"));
    formDialog({
      title,
      testid: what,
      saveId: `${what}-confirm`,
      save: t(`versions.${what}`),
      parts: what === "approve" ? [words] : [words, reason],
      send: async () => {
        await request(`/prompts/${id}/${what}`, sentJson("POST", what === "approve" ? undefined : { reason: reason.value }));
        trigger("refresh", {});
      },
    });
    if (what === "decline") reason.focus();
  }

  function writeNote(id, version, text) {
    const title = t("versions.note.title", { version });
    const words = node("textarea", { class: "al-input al-note", rows: 4, maxlength: 2000, "data-testid": "note-text", "aria-label": title });
    words.value = text;
    formDialog({
      title,
      testid: "note",
      saveId: "note-save",
      save: t("versions.note.save"),
      parts: [words],
      send: async () => {
        await request(`/prompts/${id}`, sentJson("PATCH", { note: words.value }));
        trigger("refresh", {});
      },
    });
    words.focus();
  }
}
