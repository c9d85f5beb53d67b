// The shape that is not finished yet, and the keyboard's cross: SVG over the canvases, from image points.

export class Sketch {
  constructor(svg, view) {
    Object.assign(this, { svg, view });
  }

  // shape: {points, closed, handles} or null; cross: an image point or null.
  show(shape, cross) {
    const parts = [];
    if (shape) {
      const points = shape.points.map((point) => this.place(point)).map(({ x, y }) => `${x},${y}`);
      const kind = shape.closed ? "polygon" : "polyline";
      for (const name of ["al-sketch-halo", "al-sketch-line"]) parts.push(svgNode(kind, { class: name, points: points.join(" ") }));
      for (const handle of shape.handles) {
        const { x, y } = this.place(handle);
        parts.push(svgNode("circle", { class: "al-sketch-handle", cx: x, cy: y, r: 4 }));
      }
    }
    if (cross) parts.push(...this.cross(this.place(cross)));
    if (parts.length || this.svg.firstChild) this.svg.replaceChildren(...parts);
  }

  cross({ x, y }) {
    const d = `M${x - 14} ${y}h10m8 0h10M${x} ${y - 14}v10m0 8v10`;
    return ["al-sketch-halo", "al-sketch-line"].map((name) => svgNode("path", { class: name, d }));
  }

  place(point) {
    const { x, y } = this.view.toDevice(point);
    return { x: x / devicePixelRatio, y: y / devicePixelRatio };
  }
}

function svgNode(tag, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
