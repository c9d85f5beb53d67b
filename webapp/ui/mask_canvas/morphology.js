// Grow, shrink and fill holes of the whole mask. Neighbours share a side: a pixel has four.

import { TILE_SHIFT } from "./bitmap.js";
import { Regions } from "./regions.js";

// Sets every pixel to `value` that has a neighbour of that value: 1 grows the mask by a pixel, 0 shrinks it by one.
// What lies beyond the image has no say, so a mask that reaches the image's edge stays there.
export function spread(mask, value, edit) {
  const { width, height, data } = mask;
  const due = tilesToSpread(mask, value);
  let above = new Uint8Array(width).fill(1 - value); // the row above as it was
  let row = new Uint8Array(width);
  for (let y = 0; y < height; y++) {
    row.set(data.subarray(y * width, (y + 1) * width));
    const below = y + 1 < height ? data.subarray((y + 1) * width, (y + 2) * width) : null;
    const reached = (x) =>
      (x > 0 && row[x - 1] === value) || (x + 1 < width && row[x + 1] === value) || above[x] === value || below?.[x] === value;
    for (let across = 0; across < mask.tilesAcross; across++) {
      if (!due[(y >> TILE_SHIFT) * mask.tilesAcross + across]) continue;
      const end = Math.min(width, (across + 1) << TILE_SHIFT);
      for (let x = across << TILE_SHIFT; x < end; x++) {
        if (row[x] !== value && reached(x)) mask.fillSpan(y, x, x + 1, value, edit);
      }
    }
    [above, row] = [row, above];
  }
}

// 1 for each tile that can change: not all `value`, and with that value in itself or in a tile beside it.
function tilesToSpread(mask, value) {
  const { tilesAcross, tilesDown } = mask;
  const holds = Uint8Array.from(mask.tileCounts, (_, tile) => !mask.isUniform(tile, 1 - value));
  return holds.map((own, tile) => {
    if (mask.isUniform(tile, value)) return 0;
    const across = tile % tilesAcross;
    const down = Math.floor(tile / tilesAcross);
    return (
      own |
      (across > 0 && holds[tile - 1]) |
      (across + 1 < tilesAcross && holds[tile + 1]) |
      (down > 0 && holds[tile - tilesAcross]) |
      (down + 1 < tilesDown && holds[tile + tilesAcross])
    );
  });
}

// Sets every unset region that does not reach the image's edge.
export function fillHoles(mask, edit) {
  const { width, height } = mask;
  const unset = new Regions(height, (y) => unsetRuns(mask.data.subarray(y * width, (y + 1) * width)));
  const nothing = () => {};
  unset.walk(0, 0, width, nothing);
  unset.walk(height - 1, 0, width, nothing);
  for (let y = 0; y < height; y++) {
    unset.walk(y, 0, 1, nothing);
    unset.walk(y, width - 1, width, nothing);
  }
  unset.visitUnseen((y, x0, x1) => mask.fillSpan(y, x0, x1, 1, edit));
}

function unsetRuns(row) {
  const runs = [];
  for (let x = row.indexOf(0); x >= 0; x = row.indexOf(0, runs.at(-1))) {
    const end = row.indexOf(1, x);
    runs.push(x, end < 0 ? row.length : end);
  }
  return runs;
}
