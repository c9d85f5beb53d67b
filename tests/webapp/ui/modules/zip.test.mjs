import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";

// The words of errors: as their keys.
globalThis.window = { anomalyloopTexts: { en: new Proxy({}, { get: (_, key) => (String(key).endsWith(".one") ? undefined : key) }) } };
globalThis.document = { cookie: "" };
const { zipItems } = await import("../../../../webapp/ui/uploader/zip.js");

const encoder = new TextEncoder();

function entry(name, content, { size = content.length, encrypted = 0 } = {}) {
  const packed = deflateRawSync(content);
  const known = encoder.encode(name);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(known.length, 26);
  const directory = Buffer.alloc(46);
  directory.writeUInt32LE(0x02014b50, 0);
  directory.writeUInt16LE(0x800 | encrypted, 8);
  directory.writeUInt16LE(8, 10);
  directory.writeUInt32LE(packed.length, 20);
  directory.writeUInt32LE(size, 24);
  directory.writeUInt16LE(known.length, 28);
  return { local: Buffer.concat([header, known, packed]), directory: Buffer.concat([directory, known]) };
}

function zip(...entries) {
  let at = 0;
  for (const { local, directory } of entries) {
    directory.writeUInt32LE(at, 42);
    at += local.length;
  }
  const directories = Buffer.concat(entries.map((one) => one.directory));
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directories.length, 12);
  end.writeUInt32LE(at, 16);
  return new Blob([...entries.map((one) => one.local), directories, end]);
}

const bytes = (text) => Buffer.from(text.repeat(50));

test("files come out under their own names, as they went in; folders are none", async () => {
  const items = await zipItems(zip(entry("parts/", bytes("")), entry("parts/균열.png", bytes("a crack"))));
  assert.deepEqual(items.map((item) => item.name), ["parts/균열.png"]);
  const file = await items[0].open();
  assert.equal(file.name, "균열.png");
  assert.equal(await file.text(), "a crack".repeat(50));
});

test("what unpacks to more than it says is refused", async () => {
  const [item] = await zipItems(zip(entry("bomb.png", bytes("0"), { size: 10 })));
  await assert.rejects(item.open(), /zip\.inside/);
});

test("an encrypted file is refused, the others are not", async () => {
  const [secret, open] = await zipItems(zip(entry("a.png", bytes("a"), { encrypted: 1 }), entry("b.png", bytes("b"))));
  await assert.rejects(secret.open(), /zip\.encrypted/);
  assert.equal((await open.open()).size, 50);
});

test("what is no zip, and one that was cut off, are said to be damaged", async () => {
  await assert.rejects(zipItems(new Blob([bytes("no zip")])), /zip\.damaged/);
  const whole = zip(entry("a.png", bytes("a")));
  await assert.rejects(zipItems(whole.slice(0, whole.size - 30)), /zip\.(damaged|directory)/);
});
