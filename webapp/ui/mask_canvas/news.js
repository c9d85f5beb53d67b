// News from the server about the open image: a score and a map after a run, or someone else's revision.

import { bus } from "../shared/bus.js";
import { getJson } from "../shared/net.js";
import { t } from "../shared/texts.js";
import { loadField, loadMask } from "./records.js";

export async function lookForNews(canvas) {
  const known = canvas.image;
  if (!known || canvas.decisions.pending) return;
  const news = await getJson(`/images/${known.id}?opened=true`).catch(() => null);
  const stale = () => canvas.decisions.pending || canvas.image !== known;
  if (!news || stale()) return;
  // By another region of interest a map is another one, though the score may be the same.
  const newMap = ["prompt_version", "score", "scoring_seconds", "region_of_interest"].some((name) => news[name] !== known[name]);
  const newPreview = news.preview?.created_at !== known.preview?.created_at;
  const begunWith = canvas.unsaved ? known.annotation?.revision ?? 0 : canvas.revision;
  const newMask = (news.annotation?.revision ?? 0) !== begunWith;
  if (!newMap && !newPreview && !newMask && sameFacts(news, known)) return;
  const map = canvas.shownMap.of(news);
  const newField = newMap || map !== canvas.shownMap.of(known) || (newPreview && map === "preview");
  const field = newField ? await loadField(news, map).catch(() => null) : canvas.field;
  const mask = newMask && !canvas.unsaved ? await loadMask(news) : null;
  if (stale()) return;
  if (canvas.unsaved) canvas.setImage(news, { begunWith: canvas.revision });
  else canvas.setImage(news);
  if (mask && !canvas.unsaved) canvas.adopt(mask);
  canvas.setField(field);
  tell(canvas.panel, { known, news, newMap, overtaken: newMask && canvas.unsaved });
  bus.emit("image-changed", { image: news });
}

function tell(panel, { known, news, newMap, overtaken }) {
  if (overtaken && news.annotation) {
    const { author, revision } = news.annotation;
    panel.say(t("news.overtaken", { author, revision }), "notice");
  } else if (newMap && news.score !== null) {
    panel.say(known.score === null ? t("news.scored") : t("news.new_map", { version: news.prompt_version }));
  }
}

function sameFacts(a, b) {
  return ["status", "threshold", "map_threshold", "scoring_error", "probability"].every((name) => a[name] === b[name]);
}
