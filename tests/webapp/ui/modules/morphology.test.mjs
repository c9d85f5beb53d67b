import assert from "node:assert/strict";
import { test } from "node:test";

import { BinaryMask } from "../../../../webapp/ui/mask_canvas/bitmap.js";
import { Edit } from "../../../../webapp/ui/mask_canvas/history.js";
import { fillHoles, spread } from "../../../../webapp/ui/mask_canvas/morphology.js";

function drawn(lines) {
  const mask = new BinaryMask(lines[0].length, lines.length);
  lines.forEach((line, y) => [...line].forEach((sign, x) => sign === "#" && mask.fillSpan(y, x, x + 1, 1)));
  return mask;
}

function shown(mask) {
  const lines = [];
  for (let y = 0; y < mask.height; y++) {
    lines.push(Array.from(mask.data.subarray(y * mask.width, (y + 1) * mask.width), (on) => (on ? "#" : ".")).join(""));
  }
  return lines;
}

test("growing reaches the four neighbours", () => {
  const mask = drawn([".....", ".....", "..#..", ".....", "....."]);
  spread(mask, 1, new Edit());
  assert.deepEqual(shown(mask), [".....", "..#..", ".###.", "..#..", "....."]);
});

test("shrinking undoes growing, and spares what reaches the image's edge", () => {
  const mask = drawn(["###..", "###..", "###..", "....."]);
  spread(mask, 0, new Edit());
  assert.deepEqual(shown(mask), ["##...", "##...", ".....", "....."].map((line, y) => (y < 2 ? "##..." : line)));
});

test("holes are filled, and bays are not", () => {
  const mask = drawn(["#####..", "#...#..", "#.#.#.#", "#...###", "#####.."]);
  fillHoles(mask, new Edit());
  assert.deepEqual(shown(mask), ["#####..", "#####..", "#####.#", "#######", "#####.."]);
});

test("growing crosses from tile to tile", () => {
  const mask = new BinaryMask(130, 1);
  mask.fillSpan(0, 63, 64, 1);
  spread(mask, 1, new Edit());
  assert.deepEqual([mask.data[62], mask.data[63], mask.data[64], mask.data[65]], [1, 1, 1, 0]);
});
