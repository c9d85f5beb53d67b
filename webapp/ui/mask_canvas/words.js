// Sentences and numbers of the panel.

import { LOCALE, t } from "../shared/texts.js";

export function percent(share) {
  const value = share * 100;
  return `${value >= 10 || value === 0 ? value.toFixed(0) : value.toFixed(value >= 1 ? 1 : 2)} %`;
}

export function timeWords(time) {
  return new Date(time).toLocaleString(LOCALE, { dateStyle: "medium", timeStyle: "short" });
}

// How long a score took; nothing for scores of which it is not known.
export function scoringTimeWords({ scoring_seconds: seconds, scored_from_cache: kept }) {
  if (seconds === null) return "";
  const time = seconds < 0.1 ? `${Math.max(1, Math.round(1000 * seconds))} ms` : `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  return t(kept ? "canvas.scoring_time.kept" : "canvas.scoring_time", { time });
}

export function revisionWords(annotation) {
  if (!annotation) return t("revision.none");
  const { revision, source, author, created_at: time } = annotation;
  return t(`revision.${source}`, { revision, author, time: timeWords(time) });
}

// What an empty mask says: normal once it is saved, unless the image was called anomalous as a whole.
export function emptyMaskWords({ annotation }, dirty) {
  const unmarked = annotation?.label === "anomalous" && !annotation.area && !dirty;
  return t(unmarked ? "canvas.anomalous_unmarked" : "canvas.nothing_painted");
}

export function savedWords(annotation) {
  if (annotation.label === "normal") return t("saved.normal", annotation);
  if (!annotation.area) return t("saved.anomalous_unmarked", annotation);
  return t("saved.anomalous", annotation);
}

export function restoredWords({ at, revision }, { annotation }) {
  const words = t("restored", { time: timeWords(at) });
  if ((annotation?.revision ?? 0) === revision) return words;
  return `${words} ${t("restored.overtaken", { author: annotation?.author ?? t("someone") })}`;
}

// A save that failed, while something is painted.
export function keptWords(error) {
  const what = error.status === 0 ? t("unsaved.silent") : t("unsaved", { reason: error.message });
  return `${what} ${t("unsaved.kept")}`;
}
