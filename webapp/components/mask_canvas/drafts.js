// Unsaved painting, kept in the browser's IndexedDB after every stroke: exact, and tile by tile, so that a stroke
// writes only what it changed. Each image has one draft, of the page that painted on it last.

const DRAFTS_DATABASE = "anomalyloop-drafts";

class Drafts {
  // onFailure(error): the browser keeps nothing, so that only saving helps.
  constructor(onFailure) {
    this.owner = `${Date.now()}-${Math.random()}`;
    this.onFailure = onFailure;
    this.database = openDrafts();
    this.database.catch(onFailure);
  }

  // Keeps the given tiles of a mask; all of them where the draft is not this page's own. `revision`: which one the
  // painting began with.
  keep({ image, revision, mask }, tiles) {
    const changed = [...tiles].map((tile) => [tile, mask.copyTile(tile)]);
    const head = { imageId: image.id, fileName: image.file_name, sha256: image.sha256, revision, owner: this.owner, at: Date.now() };
    return this.write((heads, contents) => {
      const known = heads.get(image.id);
      known.onsuccess = () => {
        const own = known.result?.owner === this.owner && known.result.sha256 === image.sha256;
        if (!own) contents.delete(tilesOf(image.id));
        for (const [tile, content] of own ? changed : allTiles(mask)) contents.put(content, [image.id, tile]);
        heads.put(head);
      };
    });
  }

  forget(imageId) {
    return this.write((heads, contents) => {
      heads.delete(imageId);
      contents.delete(tilesOf(imageId));
    });
  }

  // {revision, at, tiles: Map(tile → content)}, tiles that are missing being empty; null when there is none.
  async read(imageId) {
    const database = await this.database.catch(() => null);
    if (!database) return null;
    const transaction = database.transaction(["heads", "tiles"]);
    const contents = transaction.objectStore("tiles");
    const [head, keys, values] = await Promise.all([
      answered(transaction.objectStore("heads").get(imageId)),
      answered(contents.getAllKeys(tilesOf(imageId))),
      answered(contents.getAll(tilesOf(imageId))),
    ]);
    return head ? { ...head, tiles: new Map(keys.map(([, tile], index) => [tile, values[index]])) } : null;
  }

  // The heads of all drafts, the newest first.
  async list() {
    const database = await this.database.catch(() => null);
    if (!database) return [];
    const heads = await answered(database.transaction("heads").objectStore("heads").getAll());
    return heads.sort((a, b) => b.at - a.at);
  }

  async write(work) {
    try {
      const transaction = (await this.database).transaction(["heads", "tiles"], "readwrite");
      work(transaction.objectStore("heads"), transaction.objectStore("tiles"));
      await new Promise((resolve, reject) => {
        transaction.oncomplete = resolve;
        transaction.onabort = () => reject(transaction.error);
      });
    } catch (error) {
      this.onFailure(error);
    }
  }
}

function openDrafts() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DRAFTS_DATABASE, 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore("heads", { keyPath: "imageId" });
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

const tilesOf = (imageId) => IDBKeyRange.bound([imageId, 0], [imageId, Infinity]);

function allTiles(mask) {
  const tiles = Array.from(mask.tileCounts.keys()).filter((tile) => mask.tileCounts[tile] > 0);
  return tiles.map((tile) => [tile, mask.copyTile(tile)]);
}
