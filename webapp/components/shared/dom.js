// Small helpers for building elements and for words and numbers that several components show alike.

// node("span", { class: "al-badge", "data-testid": "status" }, "To review")
function node(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const STATUS_WORDS = {
  unscored: "Scoring…",
  failed: "Not scored",
  to_review: "To review",
  corrected: "Corrected",
};

// What says most for correcting an image (see db/review_queue.py).
const REASON_WORDS = {
  near_threshold: "Near the threshold",
  map_unsure: "Map unsure",
  unlike_corrected: "Unlike those corrected",
};

const VERDICT_WORDS = { normal: "Normal", anomalous: "Anomalous" };

function scoreText(score) {
  return score === null || score === undefined ? "–" : score.toFixed(2);
}

// How likely an image is to be anomalous, and what that rests on.
function probabilityWords({ score, probability, probability_images: images }) {
  if (score === null) return "";
  if (probability === null) return "The score is not calibrated yet: see Library, Threshold.";
  return `${Math.round(100 * probability)} % likely to be anomalous, calibrated on ${images} images`;
}

// What a person said counts more than what the model says.
function labelOf(image) {
  return image.annotation ? image.annotation.label : image.verdict;
}

function verdictBadge(image) {
  const label = labelOf(image);
  if (!label) return node("span", { class: "al-badge" }, STATUS_WORDS[image.status]);
  const mark = image.annotation ? "✓ " : "";
  return node("span", { class: `al-badge al-badge-${label}` }, mark + VERDICT_WORDS[label]);
}

function thumbnailUrl(image) {
  return `${API}/images/${image.id}/thumbnail`;
}

// Calls `work` every `milliseconds` while the page is looked at and `element` is visible; never twice at once.
function pollWhileVisible(element, milliseconds, work) {
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
