// Which pixels a shape covers, row by row: visit(y, x0, x1) for the pixels [x0, x1) of row y, clipped to width × height.

// From the pixel under `a` to the pixel under `b`, both included.
export function rectangleSpans(a, b, width, height, visit) {
  const { left, top, right, bottom } = rectangleOf(a, b);
  const x0 = Math.max(0, left);
  const x1 = Math.min(width, right);
  if (x0 >= x1) return;
  for (let y = Math.max(0, top); y < Math.min(height, bottom); y++) visit(y, x0, x1);
}

// Its edges, on the corners of pixels.
export function rectangleOf(a, b) {
  return {
    left: Math.floor(Math.min(a.x, b.x)),
    top: Math.floor(Math.min(a.y, b.y)),
    right: Math.floor(Math.max(a.x, b.x)) + 1,
    bottom: Math.floor(Math.max(a.y, b.y)) + 1,
  };
}

// Pixels whose centre lies inside; where the outline crosses itself, inside and outside alternate (even-odd rule).
export function polygonSpans(points, width, height, visit) {
  const ys = points.map((point) => point.y);
  const top = Math.max(0, Math.floor(Math.min(...ys)));
  const bottom = Math.min(height, Math.ceil(Math.max(...ys)));
  for (let y = top; y < bottom; y++) {
    const crossings = crossingsAt(points, y + 0.5);
    for (let i = 0; i < crossings.length; i += 2) {
      const x0 = Math.max(0, Math.ceil(crossings[i] - 0.5));
      const x1 = Math.min(width, Math.ceil(crossings[i + 1] - 0.5));
      if (x0 < x1) visit(y, x0, x1);
    }
  }
}

// Where the closed outline crosses the height y, from left to right: an even number of times.
function crossingsAt(points, y) {
  const crossings = [];
  points.forEach((to, index) => {
    const from = points.at(index - 1);
    if (from.y <= y === to.y <= y) return;
    crossings.push(from.x + ((y - from.y) / (to.y - from.y)) * (to.x - from.x));
  });
  return crossings.sort((a, b) => a - b);
}
