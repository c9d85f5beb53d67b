// Starts the canvas in its element and connects it to the rest of the page.

const root = element.querySelector("[data-testid=mask-canvas]");
const canvas = new Canvas(root);
listenToKeys(root, canvas.stage, canvas);

bus.on("open-image", ({ id }) => canvas.open(id));

const linked = Number(new URLSearchParams(location.hash.slice(1)).get("image"));
if (linked) canvas.open(linked);
