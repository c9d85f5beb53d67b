// Keys of the Inspect page: one table, from which both the keys and the help sheet come.
// Nothing fires while someone types, while a dialog is open, or while another place of the page is.

import { bus } from "../shared/bus.js";
import { wholeMask } from "./whole_mask.js";

// group, words: keys of their texts; on: event.key in lower case; repeats: also while the key is held down.
export const KEYS = [
  { group: "keys.tools", show: "B", on: ["b"], words: "keys.do.brush", act: (canvas) => canvas.tools.choose("brush") },
  { group: "keys.tools", show: "E", on: ["e"], words: "keys.do.eraser", act: (canvas) => canvas.tools.choose("eraser") },
  { group: "keys.tools", show: "R", on: ["r"], words: "keys.do.rectangle", act: (canvas) => canvas.tools.choose("rectangle") },
  { group: "keys.tools", show: "P", on: ["p"], words: "keys.do.polygon", act: (canvas) => canvas.tools.choose("polygon") },
  { group: "keys.tools", show: "G", on: ["g"], words: "keys.do.fill", act: (canvas) => canvas.tools.choose("fill") },
  { group: "keys.tools", show: "Shift", on: [], words: "keys.do.shift" },
  { group: "keys.tools", show: "[ ]", on: ["["], words: "keys.do.size", repeats: true, act: (canvas) => canvas.tools.resize(-1) },
  { on: ["]"], repeats: true, act: (canvas) => canvas.tools.resize(1) },
  { group: "keys.tools", show: "Esc", on: [], words: "keys.do.escape" },

  { group: "keys.mask", show: "M", on: ["m"], words: "keys.do.from_map", act: (canvas) => wholeMask.startFromMap(canvas) },
  { group: "keys.mask", show: ". ,", on: ["."], words: "keys.do.grow", repeats: true, act: (canvas) => wholeMask.grow(canvas) },
  { on: [","], repeats: true, act: (canvas) => wholeMask.shrink(canvas) },
  { group: "keys.mask", show: "O", on: ["o"], words: "keys.do.holes", act: (canvas) => wholeMask.fillHoles(canvas) },
  { group: "keys.mask", show: "Delete", on: ["delete"], words: "keys.do.clear", act: (canvas) => wholeMask.clear(canvas) },
  { group: "keys.mask", show: "K", on: ["k"], words: "keys.do.region", act: (canvas, event) => canvas.kinds.step(event.shiftKey ? -1 : 1) },
  { group: "keys.mask", show: "2 … y", on: [], words: "keys.do.kind" },
  { group: "keys.mask", show: "Z", on: ["z"], words: "keys.do.undo", repeats: true, act: (canvas, event) => (event.shiftKey ? canvas.redo() : canvas.undo()) },
  { group: "keys.mask", show: "Shift Z", on: [], words: "keys.do.redo" },

  { group: "keys.look", show: "+ −", on: ["+", "="], words: "keys.do.zoom", repeats: true, act: (canvas) => canvas.zoomBy(1.25) },
  { on: ["-", "−"], repeats: true, act: (canvas) => canvas.zoomBy(0.8) },
  { group: "keys.look", show: "F", on: ["f"], words: "keys.do.fit", act: (canvas) => canvas.fit() },
  { group: "keys.look", show: "1 8", on: ["1"], words: "keys.do.levels", act: (canvas) => canvas.zoomTo(1) },
  { on: ["8"], act: (canvas) => canvas.zoomTo(8) },
  { group: "keys.look", show: "Space", on: [], words: "keys.do.pan" },
  { group: "keys.look", show: "H", on: ["h"], words: "keys.do.before", act: (canvas) => canvas.look.showBefore(true) },

  { group: "keys.decide", show: "A", on: ["a"], words: "keys.do.accept", act: (canvas) => canvas.decisions.accept() },
  { group: "keys.decide", show: "N", on: ["n"], words: "keys.do.normal", act: (canvas) => canvas.decisions.markNormal() },
  { group: "keys.decide", show: "D", on: ["d"], words: "keys.do.anomalous", act: (canvas) => canvas.decisions.markAnomalous() },
  { group: "keys.decide", show: "S", on: ["s"], words: "keys.do.save", act: (canvas) => canvas.decisions.save() },
  { group: "keys.decide", show: "→ ←", on: ["arrowright"], words: "keys.do.step", act: () => bus.emit("step", { by: 1 }) },
  { on: ["arrowleft"], act: () => bus.emit("step", { by: -1 }) },

  { group: "keys.no_mouse", show: "Shift Arrows", on: [], words: "keys.do.cross" },
  { group: "keys.no_mouse", show: "X", on: ["x"], words: "keys.do.press", act: (canvas, event) => canvas.mask && canvas.tools.cursor.pressCross(event.shiftKey) },
  { group: "keys.no_mouse", show: "?", on: ["?"], words: "keys.do.help", act: (canvas) => canvas.panel.showHelp() },
];

const ARROWS = { arrowright: [1, 0], arrowleft: [-1, 0], arrowdown: [0, 1], arrowup: [0, -1] };

export function listenToKeys(canvas) {
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
  if (!entry) return withControl ? key === "y" : !event.repeat && canvas.kinds.takesKey(key);
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
