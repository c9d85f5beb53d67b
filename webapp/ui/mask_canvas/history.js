// Undo and redo: an edit is the content of the tiles that it changed, and nothing else.

const HISTORY_LIMIT = 50;

export class Edit {
  constructor() {
    this.tiles = new Map();
  }

  keep(mask, tile) {
    if (!this.tiles.has(tile)) this.tiles.set(tile, mask.copyTile(tile));
  }

  // Exchanges the kept tiles with the mask's: undoes the edit, or does it again.
  swap(mask) {
    for (const [tile, content] of this.tiles) {
      const current = mask.copyTile(tile);
      mask.pasteTile(tile, content);
      this.tiles.set(tile, current);
    }
  }
}

// The edit that gives a mask other content: contentOf(tile) as BinaryMask.copyTile gives it.
export function replaceTiles(mask, contentOf) {
  const edit = new Edit();
  for (let tile = 0; tile < mask.tileCounts.length; tile++) {
    const content = contentOf(tile);
    if (sameTile(content, mask.copyTile(tile))) continue;
    edit.keep(mask, tile);
    mask.pasteTile(tile, content);
  }
  return edit;
}

function sameTile(a, b) {
  if (typeof a === "number" || typeof b === "number") return a === b;
  return a.every((bits, index) => bits === b[index]);
}

export class History {
  constructor() {
    this.done = [];
    this.undone = [];
    // Stands for the state before the oldest edit that can still be undone.
    this.base = new Edit();
    this.saved = this.base;
  }

  commit(edit) {
    if (edit.tiles.size === 0) return;
    this.done.push(edit);
    this.undone.length = 0;
    if (this.done.length > HISTORY_LIMIT) this.base = this.done.shift();
  }

  undo(mask) {
    return this.move(this.done, this.undone, mask);
  }

  redo(mask) {
    return this.move(this.undone, this.done, mask);
  }

  // The edit that was undone or done again; undefined where there is none.
  move(from, to, mask) {
    const edit = from.pop();
    edit?.swap(mask);
    if (edit) to.push(edit);
    return edit;
  }

  get top() {
    return this.done.at(-1) ?? this.base;
  }

  markSaved() {
    this.saved = this.top;
  }

  get dirty() {
    return this.top !== this.saved;
  }
}
