// Sentences and numbers of the panel.

function percent(share) {
  const value = share * 100;
  return `${value >= 10 || value === 0 ? value.toFixed(0) : value.toFixed(value >= 1 ? 1 : 2)} %`;
}

function timeWords(time) {
  return new Date(time).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

const SOURCE_WORDS = { drawn: "drawn", accepted: "accepted", marked_normal: "marked normal", imported: "imported" };

function revisionWords(annotation) {
  if (!annotation) return "Not corrected yet";
  const { revision, source, author, created_at: time } = annotation;
  return `Revision ${revision}, ${SOURCE_WORDS[source]} by ${author}, ${timeWords(time)}`;
}

function savedWords(annotation) {
  if (annotation.label === "normal") return `Saved as normal, revision ${annotation.revision}.`;
  return `Saved, revision ${annotation.revision}: ${annotation.area.toLocaleString("en")} px anomalous.`;
}

function restoredWords({ at, revision }, { annotation }) {
  const words = `Your unsaved painting of ${timeWords(at)} is back. S saves it, Z takes it away.`;
  if ((annotation?.revision ?? 0) === revision) return words;
  return `${words} Meanwhile ${annotation?.author ?? "someone"} saved another mask: saving will ask which of them to keep.`;
}

// A save that failed, while something is painted.
function keptWords(error) {
  const what = error.status === 0 ? "Not saved: the server does not answer. Check that it is running." : `Not saved. ${error.message}`;
  return `${what} Your painting is kept in this browser, also over a reload; S tries again.`;
}
