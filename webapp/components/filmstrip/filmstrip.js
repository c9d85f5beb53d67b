// The strip itself: one button an image. Items are changed in place, so that thumbnails never flicker.

const root = element.querySelector("[data-testid=filmstrip]");
const part = (name) => root.querySelector(`[data-testid=${name}]`);
const buttons = new Map();
let openId = null;
let told = "";

const list = new ImageList(() => ({ order: part("filmstrip-order").value }), showImages);

function showImages(images, total) {
  part("filmstrip-count").textContent = total ? `${total} ${total === 1 ? "image" : "images"}` : "No images yet";
  const rows = images.map((image) => {
    if (!buttons.has(image.id)) buttons.set(image.id, stripItem(image));
    const row = buttons.get(image.id);
    fillItem(row, image);
    return row;
  });
  const strip = part("filmstrip-list");
  if (rows.length !== strip.children.length || rows.some((row, i) => row !== strip.children[i])) strip.replaceChildren(...rows);
  tellComing();
}

function stripItem(image) {
  const picture = node("img", { src: thumbnailUrl(image), alt: "", loading: "lazy", width: 56, height: 56, draggable: "false" });
  const words = node("span", { class: "al-strip-words" }, node("b", { title: image.file_name }, image.file_name), node("span", { class: "al-strip-facts" }));
  const button = node("button", { type: "button", "data-testid": "filmstrip-item", "data-id": image.id }, picture, words);
  button.addEventListener("click", () => bus.emit("open-image", { id: image.id }));
  return node("li", {}, button);
}

function fillItem(row, image) {
  const button = row.firstElementChild;
  const state = [image.status, image.score, image.verdict, image.annotation?.revision].join();
  button.setAttribute("aria-current", image.id === openId);
  if (button.dataset.state === state) return;
  button.dataset.state = state;
  button.dataset.status = image.status;
  const score = node("span", { class: "al-strip-score" }, scoreText(image.score));
  row.querySelector(".al-strip-facts").replaceChildren(score, verdictBadge(image));
}

function markOpen(id) {
  openId = id;
  for (const [imageId, row] of buttons) row.firstElementChild.setAttribute("aria-current", imageId === id);
  buttons.get(id)?.scrollIntoView({ block: "nearest" });
}

// Tells what → and ← would open, so that it can be fetched ahead.
function tellComing() {
  const index = list.images.findIndex((image) => image.id === openId);
  const ids = index < 0 ? [] : [index + 1, index - 1].map((at) => list.images[at]?.id).filter((id) => id !== undefined);
  if (ids.join() === told) return;
  told = ids.join();
  bus.emit("coming-images", { ids });
}

async function step(by) {
  const index = list.images.findIndex((image) => image.id === openId);
  if (index + by >= list.images.length - 5) list.more();
  const target = index < 0 ? list.images[0] : list.images[index + by];
  if (target) bus.emit("open-image", { id: target.id });
}

// Shows the newest images, and opens the first one where none is open or named by the page's address.
async function reloadAndOpen() {
  await list.reload();
  const none = openId === null && !location.hash.startsWith("#image=");
  if (none && list.images.length) bus.emit("open-image", { id: list.images[0].id });
}

const quietly = (work) => work.catch((error) => console.warn("The list of images could not be read:", error.message));

part("filmstrip-order").addEventListener("change", () => quietly(list.reload()));
bus.on("image-opened", ({ image }) => {
  markOpen(image.id);
  tellComing();
});
bus.on("image-changed", ({ image }) => {
  list.replace(image);
  list.show(list.images, list.total);
});
bus.on("images-added", () => quietly(reloadAndOpen()));
bus.on("step", ({ by }) => step(by));
loadMoreOnScroll(part("filmstrip-list"), list);
pollWhileVisible(root, 2500, () => quietly(list.refresh()));
quietly(reloadAndOpen());
