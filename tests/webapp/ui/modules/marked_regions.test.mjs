// The regions of a mask, as the server tells them apart.

import assert from "node:assert/strict";
import { test } from "node:test";

import { BinaryMask } from "../../../../webapp/ui/mask_canvas/bitmap.js";
import { isInside, markedRegions } from "../../../../webapp/ui/mask_canvas/marked_regions.js";

test("pixels that share a corner are one region, the largest comes first, and its pixel lies in it", () => {
  const mask = new BinaryMask(200, 150);
  mask.fillSpan(10, 5, 8, 1);
  mask.fillSpan(11, 8, 10, 1); // touches the row above by a corner
  mask.fillSpan(70, 60, 140, 1); // over three tiles
  mask.fillSpan(149, 199, 200, 1);
  const regions = markedRegions(mask);
  assert.deepEqual(regions.map(({ area }) => area), [80, 5, 1]);
  for (const region of regions) assert.ok(isInside(region, region) && mask.data[region.y * 200 + region.x] === 1);
  assert.ok(isInside(regions[1], { x: 9, y: 11 }));
  assert.ok(!isInside(regions[1], { x: 8, y: 10 }));
});

test("an empty mask has none", () => assert.deepEqual(markedRegions(new BinaryMask(10, 10)), []));
