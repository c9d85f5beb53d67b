// A growing list of images from the server: pages are added at the end, known images are kept up to date in place.

import { currentProject, getJson } from "./net.js";

const PAGE_SIZE = 50;
const LARGEST_PAGE = 500;

export class ImageList {
  // query(): parameters of GET /images; show(images, total): draws them, called after every change.
  constructor(query, show) {
    Object.assign(this, { query, show, images: [], total: 0, cursor: null, turn: 0 });
  }

  async fetchPage(cursor, limit = PAGE_SIZE) {
    const parameters = new URLSearchParams({ project: currentProject(), ...this.query(), limit });
    if (cursor) parameters.set("cursor", cursor);
    return getJson(`/images?${parameters}`);
  }

  // Starts again from the first page.
  async reload() {
    const turn = ++this.turn;
    const page = await this.fetchPage(null);
    if (turn !== this.turn) return;
    this.images = page.items;
    this.keep(page);
  }

  async more(limit = PAGE_SIZE) {
    if (!this.cursor || this.loading) return;
    const turn = this.turn;
    this.loading = true;
    try {
      const page = await this.fetchPage(this.cursor, limit);
      if (turn !== this.turn) return;
      const known = new Set(this.images.map((image) => image.id));
      this.images.push(...page.items.filter((image) => !known.has(image.id)));
      this.keep(page);
    } finally {
      this.loading = false;
    }
  }

  keep(page) {
    this.cursor = page.next_cursor;
    this.total = page.total;
    this.counts = page.counts;
    this.show(this.images, this.total);
  }

  // Loads what is left of the list.
  async all() {
    while (this.cursor) {
      const known = this.images.length;
      await this.more(LARGEST_PAGE);
      if (this.images.length === known) return;
    }
  }

  // Looks at what is shown again: changes known images in place; more, fewer or others mean a fresh start, as long as
  // what was shown.
  async refresh() {
    const turn = this.turn;
    const page = await this.fetchPage(null, Math.min(LARGEST_PAGE, Math.max(PAGE_SIZE, this.images.length)));
    if (turn !== this.turn) return;
    const fresh = new Map(page.items.map((image) => [image.id, image]));
    const gone = !page.next_cursor && this.images.some(({ id }) => !fresh.has(id)); // as many may have come
    if (gone || page.total !== this.total) {
      const shown = this.images.length;
      this.images = page.items;
      this.cursor = page.next_cursor;
      while (this.cursor && this.images.length < shown && turn === this.turn) {
        const further = await this.fetchPage(this.cursor, LARGEST_PAGE);
        this.images = [...this.images, ...further.items];
        this.cursor = further.next_cursor;
      }
      if (turn === this.turn) this.keep({ ...page, next_cursor: this.cursor });
      return;
    }
    this.counts = page.counts;
    this.images = this.images.map((image) => fresh.get(image.id) ?? image);
    this.show(this.images, this.total);
  }

  replace(image) {
    const index = this.images.findIndex((known) => known.id === image.id);
    if (index >= 0) this.images[index] = image;
  }
}

// Takes what is kept of images that are no longer wanted out of a map by their ids.
export function letGo(map, isWanted) {
  for (const id of map.keys()) if (!isWanted(id)) map.delete(id);
}

// Loads more of `list` whenever the end of `scroller` comes near.
export function loadMoreOnScroll(scroller, list) {
  scroller.addEventListener("scroll", () => {
    if (scroller.scrollTop + scroller.clientHeight > scroller.scrollHeight - 600) list.more();
  });
}
