import assert from "node:assert/strict";
import { test } from "node:test";

import { Selection } from "../../../../webapp/ui/library_grid/selection.js";

const made = () => new Selection(() => {});
const ids = (selection) => [...selection.ids].sort((a, b) => a - b);

test("a click selects, and another one lets go", () => {
  const selection = made();
  selection.toggle(4);
  selection.toggle(7);
  selection.toggle(4);
  assert.deepEqual(ids(selection), [7]);
});

test("Shift selects from the last one, in the order that is shown, in either direction", () => {
  const selection = made();
  selection.toggle(30);
  selection.extendTo(10, [50, 10, 20, 30, 40]);
  assert.deepEqual(ids(selection), [10, 20, 30]);
});

test("Shift without a first one selects one", () => {
  const selection = made();
  selection.extendTo(2, [1, 2, 3]);
  assert.deepEqual(ids(selection), [2]);
});

test("who listens is told of every change", () => {
  let told = 0;
  const selection = new Selection(() => told++);
  selection.toggle(1);
  selection.extendTo(3, [1, 2, 3]);
  assert.equal(told, 2);
});
