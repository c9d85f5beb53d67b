// Undo and redo: an edit is the content of the tiles that it changed, and nothing else.

const HISTORY_LIMIT = 50;

class Edit {
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

class History {
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

  move(from, to, mask) {
    const edit = from.pop();
    if (!edit) return false;
    edit.swap(mask);
    to.push(edit);
    return true;
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
