// Unsaved painting, kept in the browser's IndexedDB after every stroke: exact, and tile by tile, so that a stroke
// writes only what it changed. Each visit to the page keeps its own draft of an image.

import { hearLastWords, sayLastWords } from "./last_words.js";

const DRAFTS_DATABASE = "anomalyloop-drafts";

export class Drafts {
  // onFailure(error): the browser keeps nothing, so that only saving helps.
  // onForgotten(imageId): another tab took this one's draft over and let go of it.
  constructor(onFailure, onForgotten) {
    this.owner = `${Date.now()}-${Math.random()}`;
    this.onFailure = onFailure;
    this.complete = new Set(); // images whose every tile is kept
    this.sources = new Map(); // image → the visit whose draft was read
    this.channel = new BroadcastChannel(DRAFTS_DATABASE);
    this.channel.onmessage = ({ data: { imageId, owner } }) => {
      if (owner !== this.owner) return;
      this.complete.delete(imageId);
      onForgotten(imageId);
    };
    this.unwritten = []; // {head, contents, replaces}, on their way into the database
    this.database = openDrafts().then(async (database) => {
      await hearLastWords((entries) => writeDrafts(database, (...stores) => entries.forEach((entry) => putEntry(entry, ...stores))));
      return database;
    });
    this.database.catch(onFailure);
  }

  // Keeps the given tiles of a mask; all of them the first time, in place of the draft that was read. `revision`: which
  // one the painting began with.
  keep({ image, revision, mask }, tiles) {
    const contents = this.complete.has(image.id) ? [...tiles].map((tile) => [tile, mask.copyTile(tile)]) : allTiles(mask);
    const head = { imageId: image.id, owner: this.owner, fileName: image.file_name, sha256: image.sha256, revision, at: Date.now() };
    const entry = { head, contents, replaces: this.sources.get(image.id) };
    this.complete.add(image.id);
    this.sources.delete(image.id);
    this.unwritten.push(entry);
    return this.write((...stores) => putEntry(entry, ...stores)).then((done) => done && this.written(entry));
  }

  written(entry) {
    this.unwritten = this.unwritten.filter((other) => other !== entry);
    if (entry.replaces) this.channel.postMessage({ imageId: entry.head.imageId, owner: entry.replaces });
  }

  // The page is being left.
  leave() {
    if (this.unwritten.length) sayLastWords(this.unwritten);
  }

  // Lets go of this visit's draft, and of the one that was read and not replaced.
  forget(imageId) {
    const source = this.sources.get(imageId);
    this.complete.delete(imageId);
    this.sources.delete(imageId);
    this.discard({ imageId, owner: this.owner });
    if (source) this.discard({ imageId, owner: source });
  }

  // Deletes one draft, given by its head.
  discard({ imageId, owner }) {
    this.unwritten = this.unwritten.filter(({ head }) => head.imageId !== imageId || head.owner !== owner);
    const done = this.write((heads, tiles) => {
      heads.delete([imageId, owner]);
      tiles.delete(tilesOf(imageId, owner));
    });
    this.channel.postMessage({ imageId, owner });
    return done;
  }

  // The newest draft of an image: {revision, at, sha256, tiles: Map(tile → content)}, tiles that are missing being
  // empty; null when there is none.
  async read(imageId) {
    const head = (await this.list()).find((one) => one.imageId === imageId);
    if (!head) return null;
    this.sources.set(imageId, head.owner);
    const range = tilesOf(imageId, head.owner);
    const tiles = (await this.database).transaction("tiles").objectStore("tiles");
    const [keys, values] = await Promise.all([answered(tiles.getAllKeys(range)), answered(tiles.getAll(range))]);
    return { ...head, tiles: new Map(keys.map(([, , tile], index) => [tile, values[index]])) };
  }

  // The heads of all drafts, the newest first.
  async list() {
    const database = await this.database.catch(() => null);
    if (!database) return [];
    const heads = await answered(database.transaction("heads").objectStore("heads").getAll());
    return heads.sort((a, b) => b.at - a.at);
  }

  // Resolves to true when it is in the database.
  async write(work) {
    try {
      await writeDrafts(await this.database, work);
      return true;
    } catch (error) {
      this.onFailure(error);
      return false;
    }
  }
}

// work(heads, tiles) asks for changes; all of them are made, or none.
function writeDrafts(database, work) {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(["heads", "tiles"], "readwrite");
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
    work(transaction.objectStore("heads"), transaction.objectStore("tiles"));
    transaction.commit();
  });
}

function putEntry({ head, contents, replaces }, heads, tiles) {
  for (const [tile, content] of contents) tiles.put(content, [head.imageId, head.owner, tile]);
  heads.put(head);
  if (!replaces) return;
  heads.delete([head.imageId, replaces]);
  tiles.delete(tilesOf(head.imageId, replaces));
}

// Version 1 kept one draft an image, whichever tab it came from; what it holds is not carried over.
function openDrafts() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DRAFTS_DATABASE, 2);
    opening.onupgradeneeded = () => {
      for (const name of Array.from(opening.result.objectStoreNames)) opening.result.deleteObjectStore(name);
      opening.result.createObjectStore("heads", { keyPath: ["imageId", "owner"] });
      opening.result.createObjectStore("tiles");
    };
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
}

function answered(asked) {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

const tilesOf = (imageId, owner) => IDBKeyRange.bound([imageId, owner, 0], [imageId, owner, Infinity]);

function allTiles(mask) {
  const tiles = Array.from(mask.tileCounts.keys()).filter((tile) => mask.tileCounts[tile] > 0);
  return tiles.map((tile) => [tile, mask.copyTile(tile)]);
}
