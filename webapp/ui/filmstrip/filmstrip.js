// The strip itself: one button an image. Items are changed in place, so that thumbnails never flicker.

import { bus } from "../shared/bus.js";
import { node, pollWhileVisible, reasonWords, scoreNode, thumbnailUrl, verdictBadge } from "../shared/dom.js";
import { ImageList, letGo, loadMoreOnScroll } from "../shared/image_list.js";
import { t } from "../shared/texts.js";

export function mount(element) {
  const root = element.querySelector("[data-testid=filmstrip]");
  const part = (name) => root.querySelector(`[data-testid=${name}]`);
  const buttons = new Map();
  let openId = null;
  let told = "";

  let lastIndex = 0; // where the open image was seen last: its successor moves there when it leaves the list
  const trail = []; // the images that were opened, one after the other
  let awaited = false; // whether the next one shall be opened as soon as there is one

  const inQueue = () => part("filmstrip-order").value === "uncertain";
  const query = () => ({ order: part("filmstrip-order").value, ...(inQueue() && { status: "to_review" }) });
  const list = new ImageList(query, showImages);

  function showImages(images, total) {
    part("filmstrip-count").textContent = countWords(total);
    noteIndex();
    const rows = images.map((image) => {
      if (!buttons.has(image.id)) buttons.set(image.id, stripItem(image));
      const row = buttons.get(image.id);
      fillItem(row, image);
      return row;
    });
    const strip = part("filmstrip-list");
    if (rows.length !== strip.children.length || rows.some((row, i) => row !== strip.children[i])) strip.replaceChildren(...rows);
    const listed = new Set(images.map((image) => image.id));
    letGo(buttons, (id) => listed.has(id));
    tellComing();
    openAwaited();
  }

  function countWords(total) {
    const unscored = list.counts?.unscored;
    if (inQueue() && !total && unscored) return t("filmstrip.being_scored", { count: unscored });
    if (inQueue()) return total ? t("filmstrip.to_review", { count: total }) : t("filmstrip.all_reviewed");
    return total ? t("images", { count: total }) : t("filmstrip.none");
  }

  function noteIndex() {
    const index = list.images.findIndex((image) => image.id === openId);
    if (index >= 0) lastIndex = index;
    return index;
  }

  function stripItem(image) {
    const picture = node("img", { src: thumbnailUrl(image), alt: "", loading: "lazy", width: 56, height: 56, draggable: "false" });
    const words = node("span", { class: "al-strip-words" }, node("b", { title: image.file_name }, image.file_name), node("span", { class: "al-strip-facts" }), node("span", { class: "al-strip-reason" }));
    const button = node("button", { type: "button", "data-testid": "filmstrip-item", "data-id": image.id }, picture, words);
    button.addEventListener("click", () => bus.emit("open-image", { id: image.id }));
    return node("li", {}, button);
  }

  function fillItem(row, image) {
    const button = row.firstElementChild;
    const reason = inQueue() && !image.annotation ? reasonWords(image.reason) : "";
    const state = [image.status, image.score, image.old_score, image.verdict, image.annotation?.revision, reason].join();
    button.setAttribute("aria-current", image.id === openId);
    if (button.dataset.state === state) return;
    button.dataset.state = state;
    button.dataset.status = image.status;
    row.querySelector(".al-strip-facts").replaceChildren(scoreNode(image), verdictBadge(image));
    row.querySelector(".al-strip-reason").textContent = reason;
  }

  function markOpen(id) {
    openId = id;
    awaited = false;
    for (const [imageId, row] of buttons) row.firstElementChild.setAttribute("aria-current", imageId === id);
    buttons.get(id)?.scrollIntoView({ block: "nearest" });
    noteIndex();
    if (trail.at(-1) !== id) trail.push(id);
  }

  // What → (1) or ← (−1) leads to. An image that has left the list is followed by the one that took its place. The queue
  // goes round, as its order changes with every correction: nothing that is left in it is out of reach.
  function imageAt(by) {
    const index = noteIndex();
    const at = index < 0 ? Math.min(lastIndex, list.images.length - 1) : index + by;
    if (by < 0 || !inQueue()) return list.images[at];
    return list.images.slice(at).find(isLeft) ?? list.images.find(isLeft);
  }

  const isLeft = (image) => image.id !== openId && !image.annotation;

  // Tells what may be opened next, so that it can be fetched ahead.
  function tellComing() {
    const ids = [1, -1].map((by) => imageAt(by)?.id).filter((id) => id !== undefined && id !== openId);
    if (ids.join() === told) return;
    told = ids.join();
    bus.emit("coming-images", { ids });
  }

  // In the queue an image leaves the list once it is corrected: back leads to it all the same.
  function step(by) {
    if (by < 0 && inQueue()) return stepBack();
    const target = imageAt(by);
    if (lastIndex + by >= list.images.length - 5) list.more();
    if (target) bus.emit("open-image", { id: target.id });
    // New prompts are in use, and what is left is scored anew: that takes a moment.
    awaited = !target && by > 0 && inQueue() && list.counts?.unscored > 0;
  }

  function openAwaited() {
    const next = awaited && list.images.find(isLeft);
    if (!next) return;
    awaited = false;
    bus.emit("open-image", { id: next.id });
  }

  function stepBack() {
    if (trail.length < 2) return;
    trail.pop();
    bus.emit("open-image", { id: trail.at(-1) });
  }

  // Shows the newest images, and opens the first one where none is open or named by the page's address.
  async function reloadAndOpen() {
    await list.reload();
    const none = openId === null && !location.hash.startsWith("#image=");
    if (none && list.images.length) bus.emit("open-image", { id: list.images[0].id });
  }

  // Who chooses the queue wants to begin with it.
  async function changeOrder() {
    await list.reload();
    if (!inQueue() || !list.images.length) return;
    part("filmstrip-order").blur(); // so that arrow keys go from image to image
    bus.emit("open-image", { id: list.images[0].id });
  }

  const quietly = (work) => work.catch((error) => console.warn("The list of images could not be read:", error.message));

  part("filmstrip-order").addEventListener("change", () => quietly(changeOrder()));
  bus.on("image-opened", ({ image }) => {
    markOpen(image.id);
    tellComing();
  });
  bus.on("image-changed", ({ image }) => {
    list.replace(image);
    list.show(list.images, list.total);
  });
  bus.on("open-queue", () => {
    part("filmstrip-order").value = "uncertain";
    quietly(changeOrder());
  });
  bus.on("images-added", () => quietly(reloadAndOpen()));
  bus.on("images-changed", () => quietly(list.refresh()));
  bus.on("threshold-changed", () => quietly(list.reload()));
  bus.on("step", ({ by }) => step(by));
  loadMoreOnScroll(part("filmstrip-list"), list);
  pollWhileVisible(root, 2500, () => quietly(list.refresh()));
  quietly(reloadAndOpen());
}
