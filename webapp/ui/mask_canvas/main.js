// Starts the canvas in its element and connects it to the rest of the page.

import { bus } from "../shared/bus.js";
import { Canvas } from "./canvas.js";
import { showKeptNotice } from "./kept_notice.js";
import { listenToKeys } from "./keys.js";

export function mount(element) {
  const canvas = new Canvas(element.querySelector("[data-testid=mask-canvas]"));
  listenToKeys(canvas);

  bus.on("open-image", ({ id }) => canvas.open(id));
  bus.on("image-opened", () => showKeptNotice(canvas));
  bus.on("coming-images", ({ ids }) => canvas.ahead.expect(ids));

  const linked = Number(new URLSearchParams(location.hash.slice(1)).get("image"));
  if (linked) canvas.open(linked);
}
