// What can be done to the mask as a whole. Each is one step of undo.

import { BinaryMask } from "./bitmap.js";
import { Edit } from "./history.js";
import { fillHoles, spread } from "./morphology.js";

export const wholeMask = {
  clear: (canvas) => changeWhole(canvas, (mask, edit) => clearMask(mask, edit)),
  grow: (canvas) => changeWhole(canvas, (mask, edit) => spread(mask, 1, edit)),
  shrink: (canvas) => changeWhole(canvas, (mask, edit) => spread(mask, 0, edit)),
  fillHoles: (canvas) => changeWhole(canvas, (mask, edit) => fillHoles(mask, edit)),
  startFromMap: (canvas) => canvas.field && changeWhole(canvas, (mask, edit) => paintMap(canvas, mask, edit)),
};

// A shape that is begun is finished first, so that the two don't mix.
function changeWhole(canvas, work) {
  if (!canvas.mask) return;
  canvas.tools.finish();
  canvas.change(work);
}

function clearMask(mask, edit) {
  for (let y = 0; y < mask.height; y++) mask.fillSpan(y, 0, mask.width, 0, edit);
}

// What accepting a map saves: everything at or above the project's threshold.
export function maskOfMap(field, { width, height, map_threshold: threshold }) {
  const mask = new BinaryMask(width, height);
  if (field) paintMap({ field, layers: { threshold } }, mask, new Edit());
  return mask;
}

// Everything at or above the threshold, and nothing else.
function paintMap({ field, layers }, mask, edit) {
  const runsOf = field.runsAbove(layers.threshold);
  for (let y = 0; y < mask.height; y++) {
    const ends = [0, ...runsOf(y), mask.width];
    for (let i = 0; i + 1 < ends.length; i++) mask.fillSpan(y, ends[i], ends[i + 1], i % 2, edit);
  }
}
