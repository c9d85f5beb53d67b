// Sizes, times and progress of models, in words.

import { t } from "../shared/texts.js";

export const inGigabytes = (bytes) => t("models.gigabytes", { number: (bytes / 1e9).toFixed(bytes < 1e9 ? 2 : 1) });

function timeWords(seconds) {
  if (seconds < 60) return t("models.seconds_left", { number: Math.max(1, Math.round(seconds)) });
  return t("models.minutes_left", { number: Math.round(seconds / 60) });
}

export function setBar(bar, share) {
  bar.style.setProperty("--share", `${Math.round(100 * share)}%`);
  bar.setAttribute("aria-valuenow", Math.round(100 * share));
}

// How long what is left takes, by how fast it went since it was seen first.
export class Pace {
  left(kind, done, total) {
    const now = performance.now() / 1000;
    if (this.kind !== kind || done < this.done) Object.assign(this, { kind, begun: now, done });
    const gained = done - this.done;
    return gained > 0 && now - this.begun > 1 ? ((total - done) * (now - this.begun)) / gained : null;
  }
}

// { share, words } of a model on its way.
export function changeProgress({ name, state, done_bytes: done, total_bytes: total, error }, pace) {
  if (state === "failed") return { share: 0, words: error };
  if (state !== "fetching" || !total) return { share: state === "loading" ? 1 : 0, words: t(`models.state.${state}.about`) };
  const words = [t("models.fetched", { done: inGigabytes(done), total: inGigabytes(total) })];
  const left = pace.left(`fetch ${name}`, done, total);
  if (left !== null) words.push(timeWords(left));
  return { share: done / total, words: words.join(" · ") };
}

// { share, words } of images that have an old score only; null where there are none.
export function rescoringProgress({ images, old, seconds }, pace) {
  if (!old) return null;
  const words = [t("models.rescored", { done: images - old, total: images })];
  const left = pace.left("rescoring", images - old, images) ?? (seconds ? seconds * old : null);
  if (left !== null) words.push(timeWords(left));
  return { share: (images - old) / images, words: words.join(" · ") };
}
