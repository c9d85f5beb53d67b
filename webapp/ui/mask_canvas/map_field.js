// The anomaly map of one image: values at model resolution, read at any pixel of the image.
// Interpolates as the server does (half-pixel centres, edges held; an axis that shrinks is averaged by a triangle),
// so that "start from the map" and "accept" agree.

export class MapField {
  // counting: a BinaryMask of the image's size, 1 where a pixel counts; null: all do. Elsewhere the map is 0.
  constructor(values, rows, columns, imageWidth, imageHeight, counting = null) {
    this.share = sharesAbove(values);
    if (imageWidth < columns) {
      values = shrinkRows(values, rows, columns, imageWidth);
      columns = imageWidth;
    }
    if (imageHeight < rows) {
      values = transpose(shrinkRows(transpose(values, rows, columns), columns, rows, imageHeight), columns, imageHeight);
      rows = imageHeight;
    }
    Object.assign(this, { values, rows, columns, imageWidth, imageHeight, counting });
    this.low = values.reduce((a, b) => Math.min(a, b), Infinity);
    this.high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  }

  // For image pixels at the given indices: the two cells to read and the weight of the second.
  axis(indices, imageSize, cells) {
    const first = new Int32Array(indices.length);
    const second = new Int32Array(indices.length);
    const weight = new Float64Array(indices.length);
    for (let i = 0; i < indices.length; i++) {
      const at = Math.min(Math.max(((indices[i] + 0.5) * cells) / imageSize - 0.5, 0), cells - 1);
      first[i] = Math.floor(at);
      second[i] = Math.min(first[i] + 1, cells - 1);
      weight[i] = at - first[i];
    }
    return { indices, first, second, weight };
  }

  columnsAt(xs) {
    return this.axis(xs, this.imageWidth, this.columns);
  }

  rowsAt(ys) {
    return this.axis(ys, this.imageHeight, this.rows);
  }

  // Writes the values of one row of pixels into out[start…]; `row` indexes `rows`, as rowsAt gave them.
  readRow(rows, row, columns, out, start) {
    const upper = rows.first[row] * this.columns;
    const lower = rows.second[row] * this.columns;
    const down = rows.weight[row];
    const { first, second, weight } = columns;
    const values = this.values;
    for (let i = 0; i < first.length; i++) {
      const right = weight[i];
      const above = values[upper + first[i]] * (1 - right) + values[upper + second[i]] * right;
      const below = values[lower + first[i]] * (1 - right) + values[lower + second[i]] * right;
      out[start + i] = above * (1 - down) + below * down;
    }
    if (this.counting) this.cutRow(rows.indices[row], columns.indices, out, start);
  }

  cutRow(y, xs, out, start) {
    const line = Math.min(Math.max(Math.floor(y), 0), this.imageHeight - 1) * this.imageWidth;
    for (let i = 0; i < xs.length; i++) {
      const x = Math.min(Math.max(Math.floor(xs[i]), 0), this.imageWidth - 1);
      if (!this.counting.data[line + x]) out[start + i] = 0;
    }
  }

  valueAt(x, y) {
    const out = new Float32Array(1);
    this.readRow(this.rowsAt([y]), 0, this.columnsAt([x]), out, 0);
    return out[0];
  }

  // A function of y: the runs of that row at or above the threshold, as a flat list x0, x1, x0, x1, …
  runsAbove(threshold) {
    const columns = this.columnsAt(Int32Array.from({ length: this.imageWidth }, (_, x) => x));
    const line = new Float32Array(this.imageWidth);
    return (y) => {
      this.readRow(this.rowsAt([y]), 0, columns, line, 0);
      const runs = [];
      for (let x = 0; x < line.length; x++) {
        const inside = line[x] >= threshold;
        if (inside === (runs.length % 2 === 0)) runs.push(x);
      }
      if (runs.length % 2) runs.push(line.length);
      return runs;
    };
  }
}

// share(t): which part of the map (0–1) is at or above t, from its sorted values.
function sharesAbove(values) {
  const sorted = Float32Array.from(values).sort();
  return (threshold) => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle] < threshold) low = middle + 1;
      else high = middle;
    }
    return (sorted.length - low) / sorted.length;
  };
}

function shrinkRows(values, rows, columns, target) {
  const out = new Float32Array(rows * target);
  const scale = columns / target;
  for (let x = 0; x < target; x++) {
    const centre = (x + 0.5) * scale;
    const from = Math.max(0, Math.floor(centre - scale + 0.5));
    const to = Math.min(columns, Math.floor(centre + scale + 0.5));
    const weights = [];
    for (let i = from; i < to; i++) weights.push(Math.max(0, 1 - Math.abs(i + 0.5 - centre) / scale));
    const total = weights.reduce((a, b) => a + b, 0);
    for (let y = 0; y < rows; y++) {
      let sum = 0;
      for (let i = from; i < to; i++) sum += values[y * columns + i] * weights[i - from];
      out[y * target + x] = sum / total;
    }
  }
  return out;
}

function transpose(values, rows, columns) {
  const out = new Float32Array(values.length);
  for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) out[x * rows + y] = values[y * columns + x];
  return out;
}
