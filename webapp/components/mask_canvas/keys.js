// Keys of the Inspect page. Nothing fires while someone types, and nothing while another page is open.

function listenToKeys(root, stage, canvas) {
  const actions = {
    b: () => canvas.tools.choose("brush"),
    e: () => canvas.tools.choose("eraser"),
    "[": () => canvas.tools.resize(-1),
    "]": () => canvas.tools.resize(1),
    z: (event) => (event.shiftKey ? canvas.redo() : canvas.undo()),
    y: (event) => (event.ctrlKey || event.metaKey) && canvas.redo(),
    "+": () => canvas.zoomBy(1.25),
    "=": () => canvas.zoomBy(1.25),
    "-": () => canvas.zoomBy(0.8),
    "−": () => canvas.zoomBy(0.8),
    f: () => canvas.fit(),
    a: () => canvas.accept(),
    n: () => canvas.markNormal(),
    s: () => canvas.save(),
    arrowright: () => bus.emit("step", { by: 1 }),
    arrowleft: () => bus.emit("step", { by: -1 }),
  };

  const pageIsOpen = () => root.offsetParent !== null && !document.querySelector("dialog[open]");

  document.addEventListener("keydown", (event) => {
    if (!pageIsOpen() || isTyping(event.target)) return;
    if (event.key === " " && canvas.tools.hovering) {
      event.preventDefault();
      canvas.tools.holdSpace(true);
      return;
    }
    const key = event.key.toLowerCase();
    const withControl = event.ctrlKey || event.metaKey;
    if (event.altKey || (withControl && !["z", "y", "s"].includes(key))) return;
    if (key.startsWith("arrow") && event.target.matches?.("input, select, [role=tab], [role=listbox] *")) return;
    if (!Object.hasOwn(actions, key) || (key === "y" && !withControl)) return;
    event.preventDefault();
    if (!event.repeat || ["[", "]", "+", "=", "-", "−", "z", "y"].includes(key)) actions[key](event);
  });

  document.addEventListener("keyup", (event) => {
    if (event.key !== " " || !canvas.tools.spaceHeld) return;
    event.preventDefault();
    canvas.tools.holdSpace(false);
  });
  window.addEventListener("blur", () => canvas.tools.holdSpace(false));
}

function isTyping(target) {
  if (target.isContentEditable || target.matches?.("textarea, select")) return true;
  return target.matches?.("input") && !["range", "checkbox", "radio", "button"].includes(target.type);
}
