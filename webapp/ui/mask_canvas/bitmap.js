// The mask itself: one byte a pixel, 0 or 1, at the image's own size. There is no partial coverage anywhere.
// Tiles of 64×64 px carry the count of their set pixels, so that empty regions cost nothing to draw or to undo.

export const TILE_SHIFT = 6;
const TILE = 1 << TILE_SHIFT;

export class BinaryMask {
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.data = new Uint8Array(width * height);
    this.tilesAcross = (width + TILE - 1) >> TILE_SHIFT;
    this.tilesDown = (height + TILE - 1) >> TILE_SHIFT;
    this.tileCounts = new Int32Array(this.tilesAcross * this.tilesDown);
    this.area = 0;
  }

  // Sets the pixels [x0, x1) of row y; `edit` keeps each tile as it was before it first changes.
  fillSpan(y, x0, x1, value, edit) {
    const tileRow = (y >> TILE_SHIFT) * this.tilesAcross;
    const row = y * this.width;
    for (let x = x0; x < x1; ) {
      const tile = tileRow + (x >> TILE_SHIFT);
      const end = Math.min(x1, ((x >> TILE_SHIFT) + 1) << TILE_SHIFT);
      if (this.isUniform(tile, value)) {
        x = end;
        continue;
      }
      edit?.keep(this, tile);
      let changed = 0;
      for (let at = row + x; at < row + end; at++) changed += this.data[at] ^ value;
      this.data.fill(value, row + x, row + end);
      this.count(tile, value ? changed : -changed);
      x = end;
    }
  }

  count(tile, difference) {
    this.tileCounts[tile] += difference;
    this.area += difference;
  }

  isUniform(tile, value) {
    if (!value) return this.tileCounts[tile] === 0;
    const { width, height } = this.tileRect(tile);
    return this.tileCounts[tile] === width * height;
  }

  tileRect(tile) {
    const x = (tile % this.tilesAcross) << TILE_SHIFT;
    const y = Math.floor(tile / this.tilesAcross) << TILE_SHIFT;
    return { x, y, width: Math.min(TILE, this.width - x), height: Math.min(TILE, this.height - y) };
  }

  // A tile's content: the number 0 or 1 when all its pixels are alike, else one bit a pixel.
  copyTile(tile) {
    if (this.isUniform(tile, 0)) return 0;
    if (this.isUniform(tile, 1)) return 1;
    const { x, y, width, height } = this.tileRect(tile);
    const bits = new Uint8Array((width * height + 7) >> 3);
    let index = 0;
    for (let row = y; row < y + height; row++) {
      const start = row * this.width + x;
      for (let at = start; at < start + width; at++, index++) bits[index >> 3] |= this.data[at] << (index & 7);
    }
    return bits;
  }

  pasteTile(tile, content) {
    const { x, y, width, height } = this.tileRect(tile);
    const uniform = typeof content === "number";
    let index = 0;
    let count = 0;
    for (let row = y; row < y + height; row++) {
      const start = row * this.width + x;
      for (let at = start; at < start + width; at++, index++) {
        const value = uniform ? content : (content[index >> 3] >> (index & 7)) & 1;
        this.data[at] = value;
        count += value;
      }
    }
    this.count(tile, count - this.tileCounts[tile]);
  }
}
