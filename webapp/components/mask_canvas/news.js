// News from the server about the open image: a score and a map after a run, or someone else's revision.

async function lookForNews(canvas) {
  const known = canvas.image;
  if (!known || canvas.saving) return;
  const news = await getJson(`/images/${known.id}`).catch(() => null);
  const stale = () => canvas.saving || canvas.image !== known;
  if (!news || stale()) return;
  const newMap = news.prompt_version !== known.prompt_version || news.score !== known.score;
  const newMask = news.annotation?.revision !== (canvas.history.dirty ? canvas.seenRevision : known.annotation?.revision);
  if (!newMap && !newMask && sameFacts(news, known)) return;
  const field = newMap ? await loadField(news) : canvas.field;
  const mask = newMask && !canvas.history.dirty ? await loadMask(news) : null;
  if (stale()) return;
  // Unsaved painting keeps the revision that it began with, so that saving it tells of the conflict.
  canvas.image = canvas.history.dirty ? { ...news, annotation: known.annotation } : news;
  canvas.seenRevision = news.annotation?.revision;
  if (mask && !canvas.history.dirty) canvas.setMask(mask);
  canvas.setField(field);
  if (newMask && canvas.history.dirty) canvas.panel.say(`${news.annotation.author} saved revision ${news.annotation.revision} meanwhile.`);
  if (newMap && news.score !== null) {
    canvas.panel.say(known.score === null ? "Scored." : `Score and map are new: prompts v${news.prompt_version}.`);
  }
  bus.emit("image-changed", { image: news });
}

function sameFacts(a, b) {
  return ["status", "threshold", "map_threshold", "scoring_error", "probability"].every((name) => a[name] === b[name]);
}
