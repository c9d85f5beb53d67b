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

const VERDICT_WORDS = { normal: "Normal", anomalous: "Anomalous" };

function scoreText(score) {
  return score === null || score === undefined ? "–" : score.toFixed(2);
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
