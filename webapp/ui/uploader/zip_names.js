// What the files in a zip are called: zips of Windows and of a Mac's Finder don't say in which encoding names are. The
// same rules as the server's (engine/files/encodings.py, workers/exchange/zip_names.py): UTF-8 can be told for certain; of
// the old encodings of Windows the one is taken whose reading looks most like people's words.

const CP437 =
  "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ";
const OLD = ["euc-kr", "shift_jis", "gb18030", "big5", "windows-1252", "cp437"];
const DOUBLED = new Set([1, 4, 8, 10, 13]);
const CLUSTERS = new Set([3, 5, 6, 9, 10, 11, 12, 13, 14, 15, 18]);
const RARE_VOWELS = new Set([3, 10, 15]);
const between = (value, low, high) => value >= low && value <= high;

// The names of one zip's entries {name: bytes, utf8: whether it is said to be, extra: bytes of the extra fields}.
export function entryNames(entries) {
  const told = entries.map((entry) => (entry.utf8 ? decoded(entry.name, "utf-8", false) : unicodePath(entry)));
  const old = entries.filter((_, k) => told[k] === null).map((entry) => entry.name);
  const encoding = likelyEncoding(old.filter((name) => name.some((byte) => byte > 127)));
  return entries.map((entry, k) => (told[k] ?? decoded(entry.name, encoding, false)).replaceAll("\\", "/"));
}

function decoded(bytes, encoding, fatal) {
  if (encoding === "cp437") return Array.from(bytes, (byte) => (byte < 128 ? String.fromCharCode(byte) : CP437[byte - 128])).join("");
  return new TextDecoder(encoding, { fatal, ignoreBOM: true }).decode(bytes);
}

// The name in its own field (APPNOTE.TXT, 4.6.9), where that is there and belongs to this name; else null.
function unicodePath({ name, extra }) {
  const view = new DataView(extra.buffer, extra.byteOffset, extra.byteLength);
  for (let at = 0; at + 4 <= extra.length; at += 4 + view.getUint16(at + 2, true)) {
    const end = Math.min(at + 4 + view.getUint16(at + 2, true), extra.length);
    if (view.getUint16(at, true) !== 0x7075 || end - at < 10 || extra[at + 4] !== 1) continue;
    if (view.getUint32(at + 5, true) === crc32(name)) return decoded(extra.subarray(at + 9, end), "utf-8", false);
  }
  return null;
}

function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function likelyEncoding(names) {
  const bytes = Uint8Array.from(names.flatMap((name) => [...name, 10]));
  if (reads(bytes, "utf-8")) return "utf-8";
  let [best, found] = [0, "cp437"];
  for (const encoding of OLD) {
    if (!reads(bytes, encoding)) continue;
    const score = likeness(bytes, encoding);
    if (score > best) [best, found] = [score, encoding];
  }
  return found;
}

function reads(bytes, encoding) {
  try {
    // Browsers read bytes that windows-1252 has no letter for, as signs that nobody sees.
    return !/[\u0080-\u009f]/.test(decoded(bytes, encoding, true)) || encoding === "cp437";
  } catch {
    return false;
  }
}

// How much the letters beyond ASCII look like people's words, 0–1.
function likeness(bytes, encoding) {
  let [sum, count] = [0, 0];
  for (let at = 0; at < bytes.length; ) {
    if (bytes[at] < 128) {
      at++;
      continue;
    }
    const single = encoding === "windows-1252" || encoding === "cp437" || (encoding === "shift_jis" && between(bytes[at], 0xa1, 0xdf));
    const pair = bytes.subarray(at, at + (single ? 1 : 2));
    sum += weight(decoded(pair, encoding, false), pair, encoding);
    count++;
    at += pair.length;
  }
  return count ? sum / count : 0;
}

function weight(character, [lead, trail], encoding) {
  const code = character.codePointAt(0);
  if (between(code, 0xac00, 0xd7a3)) return between(lead, 0xb0, 0xc8) && trail >= 0xa1 ? syllable(code - 0xac00) : 0.1;
  if (between(code, 0x3041, 0x30ff)) return 1;
  if (between(code, 0xff61, 0xff9f)) return 0.4;
  if (between(code, 0x4e00, 0x9fff)) return ideograph(lead, trail, encoding);
  if (/\p{Ll}|\p{Lu}/u.test(character)) return code < 0x180 && (encoding === "windows-1252" || encoding === "cp437") ? 0.6 : 0.3;
  return encoding === "cp437" ? 0 : 0.1;
}

// Of a Korean syllable among the 2,350 of KS X 1001: less where its parts are rare.
function syllable(number) {
  const rare = DOUBLED.has(Math.floor(number / 588)) + CLUSTERS.has(number % 28) + RARE_VOWELS.has(Math.floor((number % 588) / 28));
  return rare < 2 ? 1 - 0.3 * rare : 0.1;
}

// More for a character of the first level of its standard: those that are written every day.
function ideograph(lead, trail, encoding) {
  if (encoding === "gb18030") return between(lead, 0xb0, 0xd7) && trail >= 0xa1 ? 0.8 : 0.2;
  if (encoding === "shift_jis") return between(lead, 0x88, 0x98) ? 0.75 : 0.2;
  if (encoding === "big5") return between(lead, 0xa4, 0xc6) ? 0.7 : 0.2;
  return 0.2;
}
