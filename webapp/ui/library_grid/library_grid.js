// The grid as a whole: what is asked for, what is shown, what is selected, and what is done with that.

import { bus, openTab } from "../shared/bus.js";
import { pollWhileVisible } from "../shared/dom.js";
import { ImageList, letGo, loadMoreOnScroll } from "../shared/image_list.js";
import { inDigits, t } from "../shared/texts.js";
import { Batch } from "./batch.js";
import { Cards } from "./cards.js";
import { filterParameters, offerPeople } from "./filters.js";
import { listenToGridKeys } from "./grid_keys.js";
import { Selection } from "./selection.js";

const ACTIONS = ["accept", "normal", "golden", "ungolden", "retry", "delete"];

export function mount(element) {
  const root = element.querySelector("[data-testid=library]");
  const part = (name) => root.querySelector(`[data-testid=${name}]`);
  const chips = [...root.querySelectorAll("[data-status]")];
  const filters = part("library-filters");
  const failures = new Map(); // image id → why the last action on it failed
  const seen = new Map(); // image id → the image as it was shown last: what is selected stays so when the list changes
  let status = "";

  const query = () => ({ order: part("library-order").value, ...(status && { status }), ...filterParameters(filters) });
  const list = new ImageList(query, showImages);
  const selection = new Selection(showSoon);
  const batch = new Batch();
  const cards = new Cards({
    open: (id) => {
      bus.emit("open-image", { id });
      openTab("inspect");
    },
    select: (id, event) => (event.shiftKey ? extend(id) : selection.toggle(id)),
  });
  const shownIds = () => list.images.map((image) => image.id);
  const extend = (id) => selection.extendTo(id, shownIds());

  function showImages(images, total) {
    const queue = part("library-order").value === "uncertain";
    for (const image of images) seen.set(image.id, image);
    const rows = images.map((image) => cards.of(image, { selected: selection.ids.has(image.id), queue, failure: failures.get(image.id) }));
    const grid = part("library-grid");
    if (rows.length !== grid.children.length || rows.some((row, i) => row !== grid.children[i])) {
      const scroller = part("library-scroll");
      const { scrollTop } = scroller;
      grid.replaceChildren(...rows);
      scroller.scrollTop = scrollTop;
    }
    forgetOthers();
    if (rows.length && !grid.querySelector("[tabindex='0']")) rows[0].firstElementChild.tabIndex = 0;
    part("library-count").textContent = t("images", { count: total });
    part("queue-rule").hidden = !queue;
    showCounts();
    showSelection();
    const asked = Object.keys(query()).length - 1;
    part("library-empty").hidden = total > 0;
    part("library-empty").textContent = t(asked ? "library.none_like_that" : "library.none");
  }

  // What left the list is kept only while it is selected.
  function forgetOthers() {
    const listed = new Set(shownIds());
    cards.keepOnly(listed);
    for (const kept of [seen, failures]) letGo(kept, (id) => listed.has(id) || selection.ids.has(id));
  }

  // Hundreds of changes within a moment are drawn once.
  let waiting = false;
  function showSoon() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      list.show(list.images, list.total);
    });
  }

  function showCounts() {
    const counts = list.counts ?? {};
    const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
    for (const chip of chips) {
      const count = chip.dataset.status ? counts[chip.dataset.status] : all;
      chip.querySelector("b").textContent = count ? inDigits(count) : "";
    }
    const asked = Object.keys(filterParameters(filters)).length;
    part("filter-count").textContent = asked || "";
  }

  function showSelection() {
    const count = selection.ids.size;
    part("selection").hidden = !count && part("batch-message").hidden;
    part("selection-count").textContent = count ? t("selection.count", { count }) : "";
    part("select-all").textContent = t("selection.all", { total: list.total });
    part("select-all").hidden = count >= list.total;
    part("select-none").hidden = !count;
    part("batch-retry").hidden = status !== "failed";
    const chosen = [...selection.ids].map((id) => seen.get(id)).filter(Boolean);
    part("batch-golden").hidden = chosen.length > 0 && chosen.every((image) => image.golden);
    part("batch-ungolden").hidden = !chosen.some((image) => image.golden);
    for (const name of ACTIONS) part(`batch-${name}`).disabled = !count || batch.running;
  }

  // --- asking ---

  const quietly = (work) =>
    work.catch((error) => {
      part("library-empty").hidden = false;
      part("library-empty").textContent = error.message;
    });

  function ask() {
    selection.ids.clear();
    seen.clear();
    say("");
    quietly(list.reload());
  }

  function toggle(button, open) {
    button.setAttribute("aria-expanded", open);
    return open;
  }

  // --- acting ---

  function say(text) {
    part("batch-message").textContent = text;
    part("batch-message").hidden = !text;
    showSelection();
  }

  async function selectAll() {
    await quietly(list.all());
    selection.add(shownIds());
  }

  async function act(name) {
    if (batch.running || !selection.ids.size) return;
    const images = [...selection.ids].map((id) => seen.get(id)).filter(Boolean);
    if (name === "delete" && !(await confirmed(images.length))) return;
    showProgress(0, images.length);
    let done = 0;
    const outcome = await batch.run(name, images, (image, error) => {
      showProgress(++done, images.length);
      if (error) failures.set(image.id, error.message);
      else settle(image.id);
    });
    showProgress(null);
    say(outcomeWords(name, outcome, images.length));
    bus.emit("images-changed");
    quietly(list.refresh());
  }

  // What succeeded is no longer selected; what failed stays so, with the reason on its card.
  function settle(id) {
    failures.delete(id);
    selection.remove(id);
  }

  function confirmed(count) {
    const dialog = part("delete-dialog");
    dialog.querySelector("[data-part=title]").textContent = t("delete.title", { count });
    dialog.returnValue = "keep";
    dialog.showModal();
    part("keep-images").focus();
    return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "delete"), { once: true }));
  }

  function showProgress(done, count) {
    const share = done === null ? 0 : Math.round((100 * done) / count);
    part("batch-bar").hidden = part("batch-stop").hidden = done === null;
    part("batch-bar").setAttribute("aria-valuenow", share);
    part("batch-bar").style.setProperty("--share", `${share}%`);
    if (done === 0) say(t("progress", { done, count }));
    else if (done !== null) part("batch-message").textContent = t("progress", { done, count });
  }

  function outcomeWords(name, { succeeded, failures: failed }, count) {
    const words = [t(`batch.${name}`, { number: succeeded })];
    const left = count - succeeded - failed.length;
    if (left) words.push(t("batch.left", { number: left }));
    if (failed.length) words.push(t("batch.failed", { number: failed.length }));
    return `${words.join(", ")}.`;
  }

  // --- what is connected to what ---

  for (const chip of chips) {
    chip.addEventListener("click", () => {
      status = chip.dataset.status;
      for (const other of chips) other.setAttribute("aria-pressed", other === chip);
      ask();
    });
  }
  let typing;
  filters.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(ask, 250);
  });
  filters.addEventListener("reset", () => setTimeout(ask));
  filters.addEventListener("submit", (event) => event.preventDefault());
  part("library-order").addEventListener("change", ask);
  part("toggle-filters").addEventListener("click", (event) => {
    filters.hidden = !toggle(event.currentTarget, filters.hidden);
    if (!filters.hidden) quietly(offerPeople(part("filter-person")));
  });
  part("toggle-threshold").addEventListener("click", (event) => {
    const open = event.currentTarget.getAttribute("aria-expanded") !== "true";
    bus.emit("show-threshold", { open: toggle(event.currentTarget, open) });
  });
  part("library-add").addEventListener("click", () => bus.emit("pick-files"));
  part("select-all").addEventListener("click", selectAll);
  part("select-none").addEventListener("click", () => selection.clear());
  part("batch-stop").addEventListener("click", () => batch.stop());
  for (const name of ACTIONS) part(`batch-${name}`).addEventListener("click", () => act(name));
  listenToGridKeys(root, part("library-grid"), {
    toggle: (id) => selection.toggle(id),
    extend,
    all: selectAll,
    none: () => selection.clear(),
    accept: () => act("accept"),
    normal: () => act("normal"),
    delete: () => act("delete"),
  });
  bus.on("image-changed", ({ image }) => {
    list.replace(image);
    list.show(list.images, list.total);
  });
  bus.on("images-added", () => quietly(list.refresh()));
  bus.on("upload-progress", ({ text }) => (part("library-upload").textContent = text));
  bus.on("threshold-changed", () => quietly(list.refresh()));
  loadMoreOnScroll(part("library-scroll"), list);
  loadMoreOnScroll(root, list); // on a narrow screen all of it scrolls
  pollWhileVisible(root, 3000, () => quietly(list.refresh()));
  quietly(list.reload());
}
