// PNG files of masks, written here rather than by canvas.toBlob: one bit a pixel, exact, and small for large images.

import { t } from "../shared/texts.js";
import { BinaryMask } from "./bitmap.js";

export async function encodeMaskPng(mask) {
  const stride = ((mask.width + 7) >> 3) + 1;
  const raw = new Uint8Array(stride * mask.height);
  for (let y = 0; y < mask.height; y++) {
    const line = y * stride + 1;
    const row = y * mask.width;
    for (let x = 0; x < mask.width; x++) if (mask.data[row + x]) raw[line + (x >> 3)] |= 128 >> (x & 7);
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, mask.width);
  view.setUint32(4, mask.height);
  header[8] = 1; // bits a sample; the colour type that follows is 0, grey
  const parts = [
    Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10),
    pngChunk("IHDR", header),
    pngChunk("IDAT", await deflate(raw)),
    pngChunk("IEND", new Uint8Array(0)),
  ];
  return new Blob(parts, { type: "image/png" });
}

async function deflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function pngChunk(type, body) {
  const chunk = new Uint8Array(body.length + 12);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, body.length);
  for (let i = 0; i < 4; i++) chunk[4 + i] = type.charCodeAt(i);
  chunk.set(body, 8);
  view.setUint32(body.length + 8, crc32(chunk.subarray(4, body.length + 8)));
  return chunk;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n;
});

function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

// Reads a mask's PNG into a fresh mask, a strip at a time, so that a large one needs little memory.
export async function decodeMaskPng(blob, width, height) {
  const picture = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  if (picture.width !== width || picture.height !== height) {
    throw new Error(t("canvas.mask_size", { mask: `${picture.width}×${picture.height}`, image: `${width}×${height}` }));
  }
  const mask = new BinaryMask(width, height);
  const strip = new OffscreenCanvas(width, Math.min(256, height));
  const context = strip.getContext("2d", { willReadFrequently: true });
  for (let top = 0; top < height; top += strip.height) {
    const rows = Math.min(strip.height, height - top);
    context.drawImage(picture, 0, top, width, rows, 0, 0, width, rows);
    const pixels = context.getImageData(0, 0, width, rows).data;
    for (let y = 0; y < rows; y++) fillFromPixels(mask, top + y, pixels, y * width);
  }
  picture.close();
  return mask;
}

function fillFromPixels(mask, y, pixels, start) {
  for (let x = 0; x < mask.width; ) {
    const inside = pixels[4 * (start + x)] > 127;
    let end = x + 1;
    while (end < mask.width && pixels[4 * (start + end)] > 127 === inside) end++;
    if (inside) mask.fillSpan(y, x, end, 1, null);
    x = end;
  }
}
