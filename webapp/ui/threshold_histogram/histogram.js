// The histogram as SVG: bars of the three kinds on top of each other, over the part of 0–1 where there is something.

import { STEPS } from "./outcome.js";

const BARS = 50;
const KINDS = ["anomalous", "normal", "unlabelled"];
const [WIDE, HIGH] = [1000, 160];

// The range that is drawn: all values and the threshold, a little wider, in whole hundredths.
export function rangeOf(view, threshold) {
  const occupied = (k) => KINDS.some((kind) => view[kind][k] > 0);
  let [low, high] = [Math.round(threshold * STEPS), Math.round(threshold * STEPS)];
  for (let k = 0; k < STEPS; k++) {
    if (!occupied(k)) continue;
    low = Math.min(low, k);
    high = Math.max(high, k + 1);
  }
  const margin = Math.max(50 - (high - low) / 2, 0) + 20;
  return [Math.max(0, Math.floor((low - margin) / 10) / 100), Math.min(1, Math.ceil((high + margin) / 10) / 100)];
}

// Each kind is drawn by its own share, so that a few labelled images show beside thousands that nobody has labelled.
function barsOf(counts, [low, high]) {
  const bars = new Float64Array(BARS);
  let total = 0;
  for (let k = 0; k < STEPS; k++) {
    total += counts[k];
    const bar = Math.floor((((k + 0.5) / STEPS - low) / (high - low)) * BARS);
    if (bar >= 0 && bar < BARS) bars[bar] += counts[k];
  }
  return bars.map((value) => (total ? value / total : 0));
}

export function drawHistogram(svg, view, range) {
  const shapes = KINDS.map((kind) => ({ kind, bars: barsOf(view[kind], range) }));
  const highest = Math.max(...shapes.flatMap(({ bars }) => [...bars]), 1e-9);
  // A map has many pixels at 0 and few where it matters: a square root lets these be seen.
  const height = (share) => HIGH * Math.sqrt(share / highest);
  const width = WIDE / BARS;
  svg.innerHTML = shapes
    .reverse()
    .map(({ kind, bars }) => {
      const path = [...bars].map((share, k) => (share ? `M${k * width} ${HIGH}v${-height(share).toFixed(1)}h${width - 1}V${HIGH}z` : "")).join("");
      return `<path class="al-bars-${kind}" d="${path}"/>`;
    })
    .join("");
}
