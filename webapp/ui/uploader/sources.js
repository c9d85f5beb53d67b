// Where images come from: files, folders, zip files and the clipboard, all as items {name, size, open()}.

import { zipItems } from "./zip.js";

// The server has the same list (engine/images/suffixes.py).
const IMAGE_NAME =
  /\.(png|apng|jpg|jpeg|jpe|jfif|jif|mpo|jp2|j2k|jpf|jpx|jpc|tif|tiff|bmp|dib|webp|gif|avif|avifs|ppm|pgm|pbm|pnm|tga|pcx|sgi|psd|dds|ico|icns|qoi)$/i;
const isHidden = (path) => path.split("/").some((part) => part.startsWith(".") || part === "__MACOSX");
const isZip = (file) => /\.zip$/i.test(file.name);

const fileItem = (file, name = file.name) => ({ name, size: file.size, open: async () => file });

// What was found in folders and zips: images are taken, other files are named and passed over.
class Found {
  constructor() {
    Object.assign(this, { items: [], passedOver: [] });
  }

  // A file that a person named is taken whatever it is called: the server says what is wrong with it.
  async addNamed(file) {
    if (isZip(file)) await this.addZip(file);
    else this.items.push(fileItem(file));
  }

  async addInside(path, item) {
    if (isHidden(path)) return;
    if (IMAGE_NAME.test(path)) this.items.push(item);
    else this.passedOver.push(path);
  }

  async addZip(zip) {
    try {
      for (const item of await zipItems(zip)) await this.addInside(item.name, item);
    } catch (error) {
      this.items.push({ name: zip.name, size: 0, open: () => Promise.reject(error) });
    }
  }

  async addFromFolder(path, file) {
    if (isZip(file) && !isHidden(path)) await this.addZip(file);
    else await this.addInside(path, fileItem(file, path));
  }

  async addEntry(entry) {
    if (entry.isFile) return this.addFromFolder(entry.fullPath.slice(1), await new Promise((resolve, reject) => entry.file(resolve, reject)));
    const reader = entry.createReader();
    // A reader gives some entries at a time, and none at the end.
    for (;;) {
      const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!entries.length) return;
      for (const inner of entries) await this.addEntry(inner);
    }
  }
}

// From a file picker; those of a folder come with their path in it.
export async function foundInFiles(files) {
  const found = new Found();
  for (const file of files) {
    if (file.webkitRelativePath) await found.addFromFolder(file.webkitRelativePath, file);
    else await found.addNamed(file);
  }
  return found;
}

// From a drop; the entries must be asked for before anything is waited for.
export async function foundInDrop(transfer) {
  const dropped = [...transfer.items].filter((item) => item.kind === "file").map((item) => [item.webkitGetAsEntry(), item.getAsFile()]);
  const found = new Found();
  for (const [entry, file] of dropped) {
    if (entry?.isDirectory) await found.addEntry(entry);
    else await found.addNamed(file);
  }
  return found;
}

// From the clipboard: a copied picture is always called image.png there, so it gets the time as its name.
export async function foundInClipboard(files) {
  const found = new Found();
  for (const file of files) {
    const time = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
    const pasted = file.name === "image.png" ? new File([file], `pasted-${time}.png`, { type: file.type }) : file;
    await found.addNamed(pasted);
  }
  return found;
}
