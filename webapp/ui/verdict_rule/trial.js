// The images that a trial of a verdict rule names: a click shows one in Inspect.

import { bus, openTab } from "../shared/bus.js";

export function mount(element) {
  element.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-open-image]");
    if (!button) return;
    bus.emit("open-image", { id: Number(button.dataset.openImage) });
    openTab("inspect");
  });
}
