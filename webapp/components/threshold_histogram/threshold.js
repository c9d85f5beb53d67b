// The panel: which threshold, where the line is, and what would come of it.

const root = element.querySelector("[data-testid=threshold-panel]");
const part = (name) => root.querySelector(`[data-testid=${name}]`);
const levels = [...root.querySelectorAll("[data-level]")];
const LEVEL_WORDS = {
  image: "An image whose score reaches it is called anomalous.",
  pixel: "Pixels whose map value reaches it are in the mask when a result is accepted.",
};
let level = "image";
let view = null;
let turn = 0;

const line = part("threshold-line");
const threshold = () => Number(line.value);

async function load({ keepLine = false } = {}) {
  const asked = ++turn;
  const rate = Number(part("false-alarm-rate").value) / 100;
  root.dataset.busy = true;
  try {
    const answer = await getJson(`/threshold?${new URLSearchParams({ project: currentProject(), level, false_alarms: rate })}`);
    if (asked !== turn) return;
    show(answer, keepLine ? threshold() : answer.now.threshold);
  } catch (error) {
    say(error.message);
  } finally {
    if (asked === turn) root.dataset.busy = false;
  }
}

function show(answer, at) {
  view = answer;
  const range = rangeOf(view, view.now.threshold);
  [line.min, line.max] = range;
  part("axis-low").textContent = range[0].toFixed(2);
  part("axis-high").textContent = range[1].toFixed(2);
  part("rests-on").textContent = view.rests_on;
  part("rests-on").dataset.calibrated = view.calibrated;
  part("use-best-f1").disabled = !view.best_f1;
  part("use-false-alarms").disabled = !view.at_false_alarm_rate;
  const images = view.normal_images + view.anomalous_images;
  part("histogram").setAttribute("aria-label", `${level === "image" ? "Scores" : "Map values"} of ${images} labelled images, from ${range[0]} to ${range[1]}`);
  drawHistogram(part("histogram"), view, range);
  moveLine(at);
}

function moveLine(to) {
  line.value = to;
  const value = threshold();
  const { recall, falseAlarms, f1, counts } = outcomeOf(view, value);
  const of = (some, all) => (level === "image" ? `, ${Math.round(some)} of ${Math.round(all)}` : "");
  const share = (rate, words) => (rate === null ? "–" : `${(100 * rate).toFixed(1)} %${words}`);
  part("line-value").textContent = value.toFixed(3);
  part("line-recall").textContent = share(recall, of(counts.found, counts.all));
  part("line-false-alarms").textContent = share(falseAlarms, of(counts.alarms, counts.good));
  part("line-f1").textContent = f1 === null ? "–" : f1.toFixed(3);
  part("line-probability-row").hidden = level !== "image";
  part("line-probability").textContent = view.probability
    ? `${(100 * probabilityAt(view.probability, value)).toFixed(0)} %, from ${view.probability.images} images`
    : "not calibrated yet";
  line.setAttribute("aria-valuetext", `${value.toFixed(3)}: finds ${share(recall, "")}, false alarms ${share(falseAlarms, "")}`);
  const changed = Math.abs(value - view.now.threshold) > 1e-6;
  part("save-threshold").disabled = part("line-reset").disabled = !changed;
}

async function save() {
  const body = JSON.stringify({ project: currentProject(), level, threshold: threshold() });
  try {
    const answer = await request("/threshold", { method: "PUT", headers: { "Content-Type": "application/json" }, body });
    show(await answer.json(), threshold());
    say(`In use from now on: ${view.now.threshold.toFixed(3)}.`);
    bus.emit("threshold-changed");
  } catch (error) {
    say(error.message);
  }
}

function say(text) {
  part("threshold-message").textContent = text;
}

function choose(name) {
  level = name;
  for (const button of levels) button.setAttribute("aria-pressed", button.dataset.level === name);
  part("threshold-level-words").textContent = LEVEL_WORDS[name];
  say(name === "pixel" ? "Reading the maps and masks…" : "");
  return load().then(() => view?.level === "pixel" && say(""));
}

for (const button of levels) button.addEventListener("click", () => choose(button.dataset.level));
line.addEventListener("input", () => view && moveLine(threshold()));
part("use-best-f1").addEventListener("click", () => moveLine(view.best_f1.threshold));
part("use-false-alarms").addEventListener("click", async () => {
  await load({ keepLine: true });
  if (view.at_false_alarm_rate) moveLine(view.at_false_alarm_rate.threshold);
});
part("line-reset").addEventListener("click", () => moveLine(view.now.threshold));
part("save-threshold").addEventListener("click", save);
bus.on("show-threshold", ({ open }) => {
  root.hidden = !open;
  if (open) choose(level);
});
for (const name of ["image-changed", "images-changed"]) bus.on(name, () => !root.hidden && load({ keepLine: true }));
