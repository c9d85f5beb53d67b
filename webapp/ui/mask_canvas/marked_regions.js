// The regions of a mask as the server tells them apart: pixels that share a side or a corner belong together.

import { TILE_SHIFT } from "./bitmap.js";
import { Regions } from "./regions.js";

const TILE = 1 << TILE_SHIFT;

// [{x, y, area, runs}], the largest first; x and y: the pixel in the middle of the region's longest run.
export function markedRegions(mask) {
  const found = [];
  const walked = new Regions(mask.height, (y) => runsOfRow(mask, y), { corners: true });
  walked.visitUnseen((y, x0, x1) => {
    const region = { area: 0, longest: 0, runs: [] };
    walked.walk(y, x0, x1, (row, from, to) => addRun(region, row, from, to));
    found.push(region);
  });
  return found.sort((a, b) => b.area - a.area);
}

export function isInside({ runs }, { x, y }) {
  return runs.some(([row, from, to]) => row === y && x >= from && x < to);
}

function addRun(region, y, from, to) {
  region.area += to - from;
  region.runs.push([y, from, to]);
  if (to - from <= region.longest) return;
  Object.assign(region, { longest: to - from, x: (from + to - 1) >> 1, y });
}

// Rows of empty tiles are passed over without a look at their pixels.
function runsOfRow({ width, data, tileCounts, tilesAcross }, y) {
  const runs = [];
  const tileRow = (y >> TILE_SHIFT) * tilesAcross;
  let start = -1;
  for (let x = 0; x < width; ) {
    if (start < 0 && tileCounts[tileRow + (x >> TILE_SHIFT)] === 0) {
      x = ((x >> TILE_SHIFT) + 1) * TILE;
      continue;
    }
    const set = data[y * width + x] === 1;
    if (set && start < 0) start = x;
    if (!set && start >= 0) {
      runs.push(start, x);
      start = -1;
    }
    x++;
  }
  if (start >= 0) runs.push(start, width);
  return runs;
}
