import assert from "node:assert/strict";
import { test } from "node:test";

import { BinaryMask } from "../../../../webapp/ui/mask_canvas/bitmap.js";
import { Edit, History, replaceTiles } from "../../../../webapp/ui/mask_canvas/history.js";

function painted(history, mask, y) {
  const edit = new Edit();
  mask.fillSpan(y, 0, 50, 1, edit);
  history.commit(edit);
}

test("undo gives back what was there, and redo what was painted", () => {
  const [history, mask] = [new History(), new BinaryMask(64, 64)];
  painted(history, mask, 1);
  painted(history, mask, 2);
  history.undo(mask);
  assert.equal(mask.area, 50);
  history.undo(mask);
  assert.equal(mask.area, 0);
  assert.equal(history.undo(mask), undefined);
  history.redo(mask);
  history.redo(mask);
  assert.equal(mask.area, 100);
});

test("a step after an undo forgets what was undone", () => {
  const [history, mask] = [new History(), new BinaryMask(64, 64)];
  painted(history, mask, 1);
  history.undo(mask);
  painted(history, mask, 2);
  assert.equal(history.redo(mask), undefined);
});

test("it is dirty until what is there is what was saved", () => {
  const [history, mask] = [new History(), new BinaryMask(64, 64)];
  assert.equal(history.dirty, false);
  painted(history, mask, 1);
  assert.equal(history.dirty, true);
  history.markSaved();
  painted(history, mask, 2);
  history.undo(mask);
  assert.equal(history.dirty, false);
});

test("fifty steps can be undone, and what was saved before them is never reached again", () => {
  const [history, mask] = [new History(), new BinaryMask(64, 64)];
  for (let y = 0; y < 60; y++) painted(history, mask, y);
  let steps = 0;
  while (history.undo(mask)) steps++;
  assert.equal(steps, 50);
  assert.equal(history.dirty, true);
});

test("taking over another mask is an edit of the tiles that differ", () => {
  const [mine, other] = [new BinaryMask(200, 64), new BinaryMask(200, 64)];
  other.fillSpan(0, 130, 140, 1);
  const edit = replaceTiles(mine, (tile) => other.copyTile(tile));
  assert.deepEqual([...edit.tiles.keys()], [2]);
  assert.deepEqual(mine.data, other.data);
});
