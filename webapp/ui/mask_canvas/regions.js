// Connected regions of pixels, walked run by run. Pixels are neighbours when they share a side; or a corner, if wanted.

// runsOf(y) gives the runs of row y as a flat list x0, x1, x0, x1, … from left to right; a row is asked for once.
export class Regions {
  constructor(height, runsOf, { corners = false } = {}) {
    Object.assign(this, { height, runsOf, rows: new Map(), reach: corners ? 1 : 0 });
  }

  row(y) {
    if (!this.rows.has(y)) {
      const runs = this.runsOf(y);
      this.rows.set(y, { runs, seen: new Uint8Array(runs.length / 2) });
    }
    return this.rows.get(y);
  }

  // Visits, once each, all runs connected to those that overlap [x0, x1) of row y and were not seen before.
  walk(y, x0, x1, visit) {
    const waiting = [];
    this.collect(y, x0, x1, waiting);
    while (waiting.length) {
      const [row, from, to] = waiting.pop();
      visit(row, from, to);
      if (row > 0) this.collect(row - 1, from - this.reach, to + this.reach, waiting);
      if (row < this.height - 1) this.collect(row + 1, from - this.reach, to + this.reach, waiting);
    }
  }

  collect(y, x0, x1, waiting) {
    const { runs, seen } = this.row(y);
    for (let i = firstEndingAfter(runs, x0); i < seen.length && runs[2 * i] < x1; i++) {
      if (seen[i]) continue;
      seen[i] = 1;
      waiting.push([y, runs[2 * i], runs[2 * i + 1]]);
    }
  }

  visitUnseen(visit) {
    for (let y = 0; y < this.height; y++) {
      const { runs, seen } = this.row(y);
      for (let i = 0; i < seen.length; i++) if (!seen[i]) visit(y, runs[2 * i], runs[2 * i + 1]);
    }
  }
}

function firstEndingAfter(runs, x) {
  let low = 0;
  let high = runs.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (runs[2 * middle + 1] <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}
