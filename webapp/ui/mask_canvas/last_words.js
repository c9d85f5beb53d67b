// What of a draft was still on its way into IndexedDB when the page was left: a database drops transactions that are not
// finished then. Kept in localStorage, which is written at once, and brought into the database by the next page.

const LAST_WORDS = "anomalyloop-last-words";

// entries: [{head, contents: [[tile, content], …], replaces}, …], the oldest first.
export function sayLastWords(entries) {
  const words = entries.map(({ contents, ...rest }) => ({ ...rest, contents: contents.map(([tile, content]) => [tile, toText(content)]) }));
  localStorage.setItem(LAST_WORDS, JSON.stringify([...readLastWords(), ...words]));
}

// Calls put(entries) with what an earlier page left, and forgets it when that is done.
export async function hearLastWords(put) {
  const words = readLastWords();
  if (!words.length) return;
  await put(words.map(({ contents, ...rest }) => ({ ...rest, contents: contents.map(([tile, text]) => [tile, fromText(text)]) })));
  localStorage.removeItem(LAST_WORDS);
}

function readLastWords() {
  return JSON.parse(localStorage.getItem(LAST_WORDS) ?? "[]");
}

// A tile as BinaryMask.copyTile gives it: 0, 1, or bits.
function toText(content) {
  return typeof content === "number" ? content : btoa(String.fromCharCode(...content));
}

function fromText(text) {
  return typeof text === "number" ? text : Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
