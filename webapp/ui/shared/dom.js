// Small helpers for building elements and for words and numbers that several components show alike.

import { API } from "./net.js";
import { LOCALE, t } from "./texts.js";

// node("span", { class: "al-badge", "data-testid": "status" }, "To review")
export function node(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// What says most for correcting an image (see db/images/review_queue.py).
export const reasonWords = (reason) => (reason ? t(`reason.${reason}`) : "");

export function scoreText(score) {
  return score === null || score === undefined ? "–" : score.toFixed(2);
}

// What is known of an image's part, in one line; empty where nobody said anything.
export function factsWords({ part, lot, station, captured_at: time, tags }) {
  const named = Object.entries({ part, lot, station }).filter(([, name]) => name);
  const words = named.map(([kind, name]) => t(`fact.${kind}`, { name }));
  const when = time ? [new Date(time).toLocaleString(LOCALE, { dateStyle: "medium", timeStyle: "medium" })] : [];
  return [...words, ...when, ...(tags ?? [])].join(" · ");
}

// The score; until the version in use has scored it, the old one, which says that it is old.
export function scoreNode(image) {
  const old = image.score === null && image.old_score !== null && !image.scoring_error;
  if (!old) return node("span", { class: "al-strip-score" }, scoreText(image.score));
  return node("span", { class: "al-strip-score al-old-score", title: t("score.old.about") }, t("score.old", { score: scoreText(image.old_score) }));
}

// How likely an image is to be anomalous, and what that rests on.
export function probabilityWords({ score, verdict, verdict_rule: rule, probability, probability_images: images }) {
  if (score === null) return "";
  if (probability !== null) return t("probability", { percent: Math.round(100 * probability), images });
  if (verdict === null) return t(rule === "regions" ? "verdict.measured_soon" : "verdict.unjudged.help");
  return t("probability.none");
}

// What a person said counts more than what the model says.
function labelOf(image) {
  return image.annotation ? image.annotation.label : image.verdict;
}

// Not scored, scored by another model only, or scored where nothing tells the project's images apart yet.
export function withoutVerdict(image, isOld) {
  if (image.score !== null) return t("verdict.unjudged");
  return t(isOld ? "verdict.old" : "verdict.none");
}

export function verdictBadge(image) {
  const label = labelOf(image);
  if (!label) return node("span", { class: "al-badge" }, image.score === null ? t(`status.${image.status}`) : t("verdict.unjudged"));
  const mark = image.annotation ? "✓ " : "";
  return node("span", { class: `al-badge al-badge-${label}` }, mark + t(`verdict.${label}`));
}

export function thumbnailUrl(image) {
  return `${API}/images/${image.id}/thumbnail`;
}

// Calls `work` every `milliseconds` while the page is looked at and `element` is visible; never twice at once.
export function pollWhileVisible(element, milliseconds, work) {
  let busy = false;
  setInterval(async () => {
    if (busy || document.hidden || element.offsetParent === null) return;
    busy = true;
    try {
      await work();
    } finally {
      busy = false;
    }
  }, milliseconds);
}
