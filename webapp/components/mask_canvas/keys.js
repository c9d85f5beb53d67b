// Keys of the Inspect page: one table, from which both the keys and the help sheet come.
// Nothing fires while someone types, while a dialog is open, or while another place of the page is.

// on: event.key in lower case; repeats: also while the key is held down.
const KEYS = [
  { group: "Tools", show: "B", on: ["b"], words: "Brush", act: (canvas) => canvas.tools.choose("brush") },
  { group: "Tools", show: "E", on: ["e"], words: "Eraser", act: (canvas) => canvas.tools.choose("eraser") },
  { group: "Tools", show: "R", on: ["r"], words: "Rectangle", act: (canvas) => canvas.tools.choose("rectangle") },
  { group: "Tools", show: "P", on: ["p"], words: "Polygon: Enter closes it, Backspace removes a corner", act: (canvas) => canvas.tools.choose("polygon") },
  { group: "Tools", show: "G", on: ["g"], words: "Fill the map's region", act: (canvas) => canvas.tools.choose("fill") },
  { group: "Tools", show: "Shift", on: [], words: "Held: add and take away change places" },
  { group: "Tools", show: "[ ]", on: ["["], words: "Smaller or larger brush", repeats: true, act: (canvas) => canvas.tools.resize(-1) },
  { on: ["]"], repeats: true, act: (canvas) => canvas.tools.resize(1) },
  { group: "Tools", show: "Esc", on: [], words: "Take back what is begun" },

  { group: "Mask", show: "M", on: ["m"], words: "Start from the map", act: (canvas) => wholeMask.startFromMap(canvas) },
  { group: "Mask", show: ". ,", on: ["."], words: "Grow or shrink by a pixel", repeats: true, act: (canvas) => wholeMask.grow(canvas) },
  { on: [","], repeats: true, act: (canvas) => wholeMask.shrink(canvas) },
  { group: "Mask", show: "O", on: ["o"], words: "Fill holes", act: (canvas) => wholeMask.fillHoles(canvas) },
  { group: "Mask", show: "Delete", on: ["delete"], words: "Clear", act: (canvas) => wholeMask.clear(canvas) },
  { group: "Mask", show: "Z", on: ["z"], words: "Undo, 50 steps", repeats: true, act: (canvas, event) => (event.shiftKey ? canvas.redo() : canvas.undo()) },
  { group: "Mask", show: "Shift Z", on: [], words: "Redo" },

  { group: "Look", show: "+ −", on: ["+", "="], words: "Zoom in or out; the wheel or two fingers too", repeats: true, act: (canvas) => canvas.zoomBy(1.25) },
  { on: ["-", "−"], repeats: true, act: (canvas) => canvas.zoomBy(0.8) },
  { group: "Look", show: "F", on: ["f"], words: "Fit to the window", act: (canvas) => canvas.fit() },
  { group: "Look", show: "1 8", on: ["1"], words: "100 % or 800 %", act: (canvas) => canvas.zoomTo(1) },
  { on: ["8"], act: (canvas) => canvas.zoomTo(8) },
  { group: "Look", show: "Space", on: [], words: "Held: drag to pan; the middle button or two fingers too" },
  { group: "Look", show: "H", on: ["h"], words: "Held: the image alone, without map and mask", act: (canvas) => canvas.look.showBefore(true) },

  { group: "Decide", show: "A", on: ["a"], words: "Accept the model's result", act: (canvas) => canvas.decisions.accept() },
  { group: "Decide", show: "N", on: ["n"], words: "Normal: nothing is wrong", act: (canvas) => canvas.decisions.markNormal() },
  { group: "Decide", show: "S", on: ["s"], words: "Save", act: (canvas) => canvas.decisions.save() },
  { group: "Decide", show: "→ ←", on: ["arrowright"], words: "Next or previous image", act: () => bus.emit("step", { by: 1 }) },
  { on: ["arrowleft"], act: () => bus.emit("step", { by: -1 }) },

  { group: "Without a mouse", show: "Shift Arrows", on: [], words: "Move the cross" },
  { group: "Without a mouse", show: "X", on: ["x"], words: "Put the tool down at the cross, or lift it", act: (canvas, event) => canvas.mask && canvas.tools.cursor.pressCross(event.shiftKey) },
  { group: "Without a mouse", show: "?", on: ["?"], words: "This sheet", act: (canvas) => canvas.panel.showHelp() },
];

const ARROWS = { arrowright: [1, 0], arrowleft: [-1, 0], arrowdown: [0, 1], arrowup: [0, -1] };

function listenToKeys(canvas) {
  const { root } = canvas;
  const pageIsOpen = () => root.offsetParent !== null && !document.querySelector("dialog[open]");

  document.addEventListener("keydown", (event) => {
    if (!pageIsOpen() || isTyping(event.target) || event.altKey) return;
    const taken = holdsSpace(canvas, event) || endsShape(canvas, event) || movesCross(canvas, event) || runsKey(canvas, event);
    if (taken) event.preventDefault();
  });
  document.addEventListener("keyup", (event) => {
    if (event.key === " " && canvas.pointers.spaceHeld) {
      event.preventDefault();
      canvas.pointers.holdSpace(false);
    }
    if (keyOf(event) === "h") canvas.look.showBefore(false);
  });
  addEventListener("blur", () => {
    canvas.pointers.holdSpace(false);
    canvas.look.showBefore(false);
  });
}

// Letters by their place where the layout has others there: ㅠ on a Korean keyboard is B.
function keyOf(event) {
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1];
  return (letter && !/^[a-z]$/i.test(event.key) ? letter : event.key).toLowerCase();
}

// Space pans over the stage; on a button it presses the button, as everywhere.
function holdsSpace(canvas, event) {
  if (event.key !== " " || !(canvas.tools.cursor.hovering || event.target === canvas.stage)) return false;
  canvas.pointers.holdSpace(true);
  return true;
}

function endsShape({ tools }, event) {
  const ends = { Enter: () => tools.finish(), Escape: () => tools.cancel(), Backspace: () => tools.back() };
  if (!tools.busy || !ends[event.key]) return false;
  ends[event.key]();
  return true;
}

function movesCross({ mask, tools }, event) {
  const by = ARROWS[keyOf(event)];
  if (!by || !event.shiftKey || !mask || usesArrows(event.target)) return false;
  tools.cursor.moveCross(...by);
  return true;
}

function runsKey(canvas, event) {
  const key = keyOf(event);
  const withControl = event.ctrlKey || event.metaKey;
  if (withControl && key === "y") canvas.redo();
  else if (withControl && !["z", "s"].includes(key)) return false;
  const entry = KEYS.find((one) => one.on.includes(key));
  if (!entry) return withControl && key === "y";
  if (ARROWS[key] && usesArrows(event.target)) return false;
  if (!event.repeat || entry.repeats) entry.act(canvas, event);
  return true;
}

function usesArrows(target) {
  return Boolean(target.matches?.("input, select, [role=tab], [role=listbox] *"));
}

function isTyping(target) {
  if (target.isContentEditable || target.matches?.("textarea, select")) return true;
  return Boolean(target.matches?.("input")) && !["range", "checkbox", "radio", "button"].includes(target.type);
}
