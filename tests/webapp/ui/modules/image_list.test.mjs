// A list of images that changes on the server while it is shown.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

// What the modules find in a browser before they are loaded.
Object.assign(globalThis, { window: { anomalyloopTexts: { en: {} } }, document: { cookie: "" }, location: { search: "" } });
const { ImageList, letGo } = await import("../../../../webapp/ui/shared/image_list.js");

let server = []; // ids, in their order
let changes = 0;

globalThis.fetch = async (address) => {
  const asked = new URL(address, "http://server").searchParams;
  const [from, limit] = [Number(asked.get("cursor") ?? 0), Number(asked.get("limit"))];
  const items = server.slice(from, from + limit).map((id) => ({ id, changes }));
  const next = from + limit < server.length ? String(from + limit) : null;
  return Response.json({ items, next_cursor: next, total: server.length, counts: {} });
};

const range = (length, first = 0) => Array.from({ length }, (_, i) => first + i);
const ids = (list) => list.images.map((image) => image.id);

let list;
beforeEach(async () => {
  server = range(30);
  list = new ImageList(() => ({}), () => {});
  await list.reload();
});

test("known images are changed in place, in the order that is shown", async () => {
  changes++;
  server.reverse();
  await list.refresh();
  assert.deepEqual(ids(list), range(30));
  assert.ok(list.images.every((image) => image.changes === changes));
});

test("an image that left is let go, also where another one came", async () => {
  server = [99, ...range(29)];
  await list.refresh();
  assert.deepEqual(ids(list), server);
});

test("a list longer than the largest page stays as long as it was", async () => {
  server = range(1200);
  await list.reload();
  await list.all();
  server = range(1199, 1);
  await list.refresh();
  assert.equal(list.images.length, 1199);
});

test("what is kept of others is let go", () => {
  const kept = new Map(range(5).map((id) => [id, `element ${id}`]));
  letGo(kept, (id) => id < 2);
  assert.deepEqual([...kept.keys()], [0, 1]);
});
