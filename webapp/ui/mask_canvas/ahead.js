// Images that a person may open next, fetched before they ask: the picture decoded, the map and the mask read.

import { getJson } from "../shared/net.js";
import { loadContent } from "./records.js";

// A larger image would fill the browser's memory for the sake of a moment.
const LARGEST_AHEAD = 25e6;

export class Ahead {
  // mapOf(image): which map of it is to be shown.
  constructor(mapOf) {
    this.mapOf = mapOf;
    this.records = new Map();
    this.turn = 0;
  }

  // Fetches these images one after another, and lets go of all others.
  async expect(ids) {
    const turn = ++this.turn;
    for (const id of this.records.keys()) if (!ids.includes(id)) this.drop(id);
    for (const id of ids) {
      if (turn !== this.turn) return;
      if (!this.records.has(id)) this.records.set(id, fetchAhead(id, this.mapOf));
      await this.records.get(id);
    }
  }

  // The record of an image that was expected, or null: then it is to be fetched as if it had not been.
  async take(id) {
    const record = this.records.get(id) ?? null;
    this.records.delete(id);
    return record;
  }

  drop(id) {
    this.records.get(id).then((record) => record?.picture.close());
    this.records.delete(id);
  }
}

async function fetchAhead(id, mapOf) {
  try {
    const image = await getJson(`/images/${id}?opened=true`);
    return image.width * image.height > LARGEST_AHEAD ? null : await loadContent(image, mapOf);
  } catch {
    return null; // opening it will ask again, and tell what is wrong
  }
}
