// What is in a zip file, read where it lies: its directory first, each file when its turn comes. So a zip may be far
// larger than the browser's memory, and its files have their own progress and outcome.
// PKWARE's APPNOTE.TXT, 4.3: end record 0x06054b50, directory entry 0x02014b50, local header 0x04034b50.

import { t } from "../shared/texts.js";
import { entryNames } from "./zip_names.js";

const STORED = 0;
const DEFLATED = 8;
const BIG = 0xffffffff; // stands where only zip64 has room for the number

async function bytesOf(blob, start, end) {
  return new DataView(await blob.slice(start, end).arrayBuffer());
}

// The files of a zip as items {name, size, open()}. Throws an Error for people where the zip can't be read.
export async function zipItems(zip) {
  const tail = await bytesOf(zip, Math.max(0, zip.size - 65557), zip.size);
  let end = tail.byteLength - 22;
  while (end >= 0 && tail.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) throw new Error(t("zip.damaged"));
  const [count, size, start] = [tail.getUint16(end + 10, true), tail.getUint32(end + 12, true), tail.getUint32(end + 16, true)];
  if (count === 0xffff || start === BIG) throw new Error(t("zip.too_large"));
  return directoryItems(zip, await bytesOf(zip, start, start + size), count);
}

function directoryItems(zip, directory, count) {
  const entries = [];
  for (let k = 0, at = 0; k < count; k++) {
    if (at + 46 > directory.byteLength || directory.getUint32(at, true) !== 0x02014b50) throw new Error(t("zip.directory"));
    const number = (offset) => directory.getUint32(at + offset, true);
    const short = (offset) => directory.getUint16(at + offset, true);
    const part = (start, length) => new Uint8Array(directory.buffer, directory.byteOffset + at + start, length);
    if (at + 46 + short(28) + short(30) > directory.byteLength) throw new Error(t("zip.directory"));
    const [name, extra] = [part(46, short(28)), part(46 + short(28), short(30))];
    const file = { encrypted: short(8) & 1, method: short(10), packed: number(20), size: number(24), header: number(42) };
    entries.push({ name, extra, utf8: Boolean(short(8) & 0x800), file });
    at += 46 + short(28) + short(30) + short(32);
  }
  const names = entryNames(entries);
  const items = entries.map(({ file }, k) => ({ name: names[k], size: file.size, open: () => unpack(zip, names[k], file) }));
  return items.filter(({ name }) => !name.endsWith("/"));
}

async function unpack(zip, name, { encrypted, method, packed, size, header }) {
  if (encrypted) throw new Error(t("zip.encrypted"));
  if (method !== STORED && method !== DEFLATED) throw new Error(t("zip.method", { method }));
  const local = await bytesOf(zip, header, header + 30);
  const start = header + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  const data = zip.slice(start, start + packed);
  const content = method === STORED ? data : await inflate(data, size);
  return new File([content], name.split("/").at(-1));
}

// Stops at the size that the directory tells: a few bytes can't become gigabytes.
async function inflate(data, size) {
  const parts = [];
  let length = 0;
  const reader = data.stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      length += part.value.length;
      if (length > size) break;
      parts.push(part.value);
    }
  } catch {
    length = -1;
  }
  reader.cancel().catch(() => {});
  if (length !== size) throw new Error(t("zip.inside"));
  return new Blob(parts);
}
