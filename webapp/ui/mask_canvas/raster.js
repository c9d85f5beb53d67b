// Which pixels a round brush covers: those whose centre lies within diameter / 2 of the line it was drawn along.

// Odd diameters sit on pixel centres and even ones on pixel corners, so that 1 paints one pixel and 2 paints four.
export function snapToPixels(point, diameter) {
  const snap = diameter % 2 === 1 ? (value) => Math.floor(value) + 0.5 : Math.round;
  return { x: snap(point.x), y: snap(point.y) };
}

// Calls visit(y, x0, x1) for each row that the stroke from a to b crosses, clipped to width × height.
export function strokeSpans(a, b, diameter, width, height, visit) {
  const radius = diameter / 2;
  const top = Math.max(0, Math.floor(Math.min(a.y, b.y) - radius));
  const bottom = Math.min(height - 1, Math.ceil(Math.max(a.y, b.y) + radius));
  const sides = strokeSides(a, b, radius);
  for (let y = top; y <= bottom; y++) {
    const range = { low: Infinity, high: -Infinity };
    widenByDisc(range, a, radius, y + 0.5);
    widenByDisc(range, b, radius, y + 0.5);
    for (const [from, to] of sides) widenByEdge(range, from, to, y + 0.5);
    const x0 = Math.max(0, Math.ceil(range.low - 0.5 - 1e-9));
    const x1 = Math.min(width, Math.floor(range.high - 0.5 + 1e-9) + 1);
    if (x0 < x1) visit(y, x0, x1);
  }
}

// The two long edges of the stroke, and its two ends: the outline of the rectangle between the discs.
function strokeSides(a, b, radius) {
  const length = Math.hypot(b.x - a.x, b.y - a.y);
  if (length === 0) return [];
  const nx = (-(b.y - a.y) / length) * radius;
  const ny = ((b.x - a.x) / length) * radius;
  const corners = [
    { x: a.x + nx, y: a.y + ny },
    { x: b.x + nx, y: b.y + ny },
    { x: b.x - nx, y: b.y - ny },
    { x: a.x - nx, y: a.y - ny },
  ];
  return corners.map((corner, index) => [corner, corners[(index + 1) % 4]]);
}

function widen(range, x) {
  if (x < range.low) range.low = x;
  if (x > range.high) range.high = x;
}

function widenByDisc(range, centre, radius, y) {
  const square = radius * radius - (y - centre.y) ** 2;
  if (square < 0) return;
  const half = Math.sqrt(square);
  widen(range, centre.x - half);
  widen(range, centre.x + half);
}

function widenByEdge(range, from, to, y) {
  if (y < Math.min(from.y, to.y) || y > Math.max(from.y, to.y)) return;
  if (from.y === to.y) {
    widen(range, from.x);
    widen(range, to.x);
  } else {
    widen(range, from.x + ((y - from.y) / (to.y - from.y)) * (to.x - from.x));
  }
}
