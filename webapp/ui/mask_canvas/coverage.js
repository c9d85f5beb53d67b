// The mask as device pixels: filled inside, a bright line at its edge, a dark one around it. Zoomed in, every mask
// pixel is a crisp square.

import { TILE_SHIFT } from "./bitmap.js";

export function paintMask(words, mask, view, rect, ink) {
  const width = rect.width + 2;
  const covered = coverage(mask, view, { x: rect.x - 1, y: rect.y - 1, width, height: rect.height + 2 });
  for (let y = 0; y < rect.height; y++) {
    for (let x = 0; x < rect.width; x++) {
      const at = (y + 1) * width + x + 1;
      const left = covered[at - 1];
      const right = covered[at + 1];
      const above = covered[at - width];
      const below = covered[at + width];
      if (covered[at]) words[y * rect.width + x] = left & right & above & below ? ink.fill : ink.edge;
      else if (left | right | above | below) words[y * rect.width + x] = ink.halo;
    }
  }
}

// 1 for every device pixel that shows at least one set pixel of the mask: zoomed out, no thin line is lost.
function coverage(mask, view, rect) {
  const covered = new Uint8Array(rect.width * rect.height);
  const columns = boxesAlong(view.scale, rect.x - view.x, rect.width, mask.width);
  const rows = boxesAlong(view.scale, rect.y - view.y, rect.height, mask.height);
  for (let y = 0; y < rect.height; y++) {
    const [top, bottom] = [rows.from[y], rows.to[y]];
    for (let x = 0; x < rect.width && top < bottom; x++) {
      covered[y * rect.width + x] = anySet(mask, columns.from[x], top, columns.to[x], bottom);
    }
  }
  return covered;
}

function anySet(mask, x0, y0, x1, y1) {
  if (x0 >= x1) return 0;
  const first = (y0 >> TILE_SHIFT) * mask.tilesAcross + (x0 >> TILE_SHIFT);
  const last = ((y1 - 1) >> TILE_SHIFT) * mask.tilesAcross + ((x1 - 1) >> TILE_SHIFT);
  if (first === last && mask.tileCounts[first] === 0) return 0;
  for (let y = y0; y < y1; y++) {
    for (let at = y * mask.width + x0; at < y * mask.width + x1; at++) if (mask.data[at]) return 1;
  }
  return 0;
}

// The image pixels [from, to) behind each of `length` device pixels, the first of which is `start` from the image.
function boxesAlong(scale, start, length, size) {
  const from = new Int32Array(length);
  const to = new Int32Array(length);
  for (let i = 0; i < length; i++) {
    const low = Math.floor((start + i + (scale < 1 ? 0 : 0.5)) / scale);
    const high = scale < 1 ? Math.max(low + 1, Math.floor((start + i + 1) / scale)) : low + 1;
    from[i] = Math.min(Math.max(low, 0), size);
    to[i] = Math.min(Math.max(high, 0), size);
  }
  return { from, to };
}
