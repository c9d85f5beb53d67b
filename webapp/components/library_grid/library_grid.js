// The grid: one card an image, changed in place, more of them as one scrolls.

const root = element.querySelector("[data-testid=library]");
const part = (name) => root.querySelector(`[data-testid=${name}]`);
const filters = [...root.querySelectorAll("[data-status]")];
const cards = new Map();
let status = "";

const list = new ImageList(() => ({ order: part("library-order").value, ...(status && { status }) }), showImages);

function showImages(images, total) {
  const rows = images.map((image) => {
    if (!cards.has(image.id)) cards.set(image.id, gridCard(image));
    fillCard(cards.get(image.id), image);
    return cards.get(image.id);
  });
  const grid = part("library-grid");
  if (rows.length !== grid.children.length || rows.some((row, i) => row !== grid.children[i])) grid.replaceChildren(...rows);
  part("library-count").textContent = `${total} ${total === 1 ? "image" : "images"}`;
  part("library-empty").hidden = total > 0;
  part("library-empty").textContent = status ? "No image has this status." : "No images yet. Add some in Inspect.";
}

function gridCard(image) {
  const picture = node("img", { src: thumbnailUrl(image), alt: "", loading: "lazy", draggable: "false" });
  const name = node("span", { class: "al-card-name", title: image.file_name }, image.file_name);
  const facts = node("span", { class: "al-strip-facts" });
  const button = node("button", { type: "button", "data-testid": "library-item", "data-id": image.id }, picture, name, facts);
  button.addEventListener("click", () => {
    bus.emit("open-image", { id: image.id });
    openTab("inspect");
  });
  return node("li", {}, button);
}

function fillCard(card, image) {
  const score = node("span", { class: "al-strip-score" }, scoreText(image.score));
  card.querySelector(".al-strip-facts").replaceChildren(score, verdictBadge(image));
  card.firstElementChild.dataset.status = image.status;
  card.firstElementChild.title = image.scoring_error ?? "";
}

const quietly = (work) =>
  work.catch((error) => {
    part("library-empty").hidden = false;
    part("library-empty").textContent = error.message;
  });

for (const filter of filters) {
  filter.addEventListener("click", () => {
    status = filter.dataset.status;
    for (const other of filters) other.setAttribute("aria-pressed", other === filter);
    quietly(list.reload());
  });
}
part("library-order").addEventListener("change", () => quietly(list.reload()));
bus.on("image-changed", ({ image }) => {
  list.replace(image);
  list.show(list.images, list.total);
});
bus.on("images-added", () => quietly(list.reload()));
loadMoreOnScroll(part("library-scroll"), list);
pollWhileVisible(root, 3000, () => quietly(list.refresh()));
quietly(list.reload());
