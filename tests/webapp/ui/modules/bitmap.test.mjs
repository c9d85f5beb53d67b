import assert from "node:assert/strict";
import { test } from "node:test";

import { BinaryMask } from "../../../../webapp/ui/mask_canvas/bitmap.js";
import { Edit } from "../../../../webapp/ui/mask_canvas/history.js";

const row = (mask, y) => Array.from(mask.data.subarray(y * mask.width, (y + 1) * mask.width));

test("a span sets its pixels and no others, across tiles", () => {
  const mask = new BinaryMask(130, 3);
  mask.fillSpan(1, 60, 129, 1);
  assert.equal(mask.area, 69);
  assert.deepEqual(row(mask, 1), Array.from({ length: 130 }, (_, x) => Number(x >= 60 && x < 129)));
  assert.deepEqual([row(mask, 0), row(mask, 2)], [Array(130).fill(0), Array(130).fill(0)]);
});

test("the area counts each pixel once, however often it is set", () => {
  const mask = new BinaryMask(70, 70);
  mask.fillSpan(5, 0, 40, 1);
  mask.fillSpan(5, 20, 66, 1);
  mask.fillSpan(5, 10, 12, 0);
  assert.equal(mask.area, 64);
});

test("a tile that is copied and pasted is the same, also at the image's edge", () => {
  const mask = new BinaryMask(100, 90);
  for (let y = 70; y < 88; y++) mask.fillSpan(y, 65 + (y % 7), 99, 1);
  const copy = new BinaryMask(100, 90);
  for (let tile = 0; tile < mask.tileCounts.length; tile++) copy.pasteTile(tile, mask.copyTile(tile));
  assert.deepEqual(copy.data, mask.data);
  assert.equal(copy.area, mask.area);
});

test("an edit keeps only the tiles that change", () => {
  const mask = new BinaryMask(256, 64);
  mask.fillSpan(3, 0, 64, 1);
  const edit = new Edit();
  mask.fillSpan(3, 0, 100, 1, edit);
  assert.deepEqual([...edit.tiles.keys()].sort(), [0, 1]);
});
