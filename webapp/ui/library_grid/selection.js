// Which images are selected: one by one, a range with Shift, or all.

export class Selection {
  // changed(): called after every change.
  constructor(changed) {
    Object.assign(this, { ids: new Set(), anchor: null, changed });
  }

  toggle(id, on = !this.ids.has(id)) {
    if (on) this.ids.add(id);
    else this.ids.delete(id);
    this.anchor = id;
    this.changed();
  }

  // From the image that was selected last up to this one, both included, in the order of `shown`.
  extendTo(id, shown) {
    const ends = [shown.indexOf(this.anchor), shown.indexOf(id)].sort((a, b) => a - b);
    if (ends[0] < 0) return this.toggle(id, true);
    for (const one of shown.slice(ends[0], ends[1] + 1)) this.ids.add(one);
    this.changed();
  }

  add(ids) {
    for (const id of ids) this.ids.add(id);
    this.changed();
  }

  remove(id) {
    this.ids.delete(id);
    this.changed();
  }

  clear() {
    this.ids.clear();
    this.anchor = null;
    this.changed();
  }
}
