// The panel: which threshold, where the line is, and what would come of it.

import { bus } from "../shared/bus.js";
import { currentProject, getJson, request } from "../shared/net.js";
import { t } from "../shared/texts.js";
import { drawHistogram, rangeOf } from "./histogram.js";
import { outcomeOf, probabilityAt } from "./outcome.js";

export function mount(element) {
  const root = element.querySelector("[data-testid=threshold-panel]");
  const part = (name) => root.querySelector(`[data-testid=${name}]`);
  const levels = [...root.querySelectorAll("[data-level]")];
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
    part("rests-on").textContent = restsOn(view);
    part("rests-on").dataset.calibrated = view.calibrated;
    part("use-best-f1").disabled = !view.best_f1;
    part("use-false-alarms").disabled = !view.at_false_alarm_rate;
    const images = view.normal_images + view.anomalous_images;
    part("histogram").setAttribute("aria-label", t(`threshold.histogram.${level}`, { images, low: range[0], high: range[1] }));
    drawHistogram(part("histogram"), view, range);
    moveLine(at);
  }

  function moveLine(to) {
    line.value = to;
    const value = threshold();
    const { recall, falseAlarms, f1, counts } = outcomeOf(view, value);
    const of = (some, all) => (level === "image" ? `, ${t("progress", { done: Math.round(some), count: Math.round(all) })}` : "");
    const share = (rate, words) => (rate === null ? "–" : `${(100 * rate).toFixed(1)} %${words}`);
    part("line-value").textContent = value.toFixed(3);
    part("line-recall").textContent = share(recall, of(counts.found, counts.all));
    part("line-false-alarms").textContent = share(falseAlarms, of(counts.alarms, counts.good));
    part("line-f1").textContent = f1 === null ? "–" : f1.toFixed(3);
    part("line-probability-row").hidden = level !== "image";
    part("line-probability").textContent = view.probability
      ? t("threshold.probability.value", { percent: (100 * probabilityAt(view.probability, value)).toFixed(0), images: view.probability.images })
      : t("threshold.probability.none");
    line.setAttribute("aria-valuetext", t("threshold.line", { value: value.toFixed(3), recall: share(recall, ""), alarms: share(falseAlarms, "") }));
    const changed = Math.abs(value - view.now.threshold) > 1e-6;
    part("save-threshold").disabled = part("line-reset").disabled = !changed;
  }

  // On how many images a threshold rests, and what is missing until it is calibrated.
  function restsOn({ normal_images: normal, anomalous_images: anomalous, calibrated, enough }) {
    const images = { normal: t("rests.normal", { count: normal }), anomalous: t("rests.anomalous", { count: anomalous }) };
    const missing = [];
    if (normal < enough) missing.push(t("rests.more_normal", { number: enough - normal }));
    if (anomalous < enough) missing.push(t("rests.more_anomalous", { number: enough - anomalous }));
    if (missing.length) return t("rests.missing", { ...images, missing: missing.join(t("and")) });
    if (!calibrated) return t("rests.inseparable", images);
    return t("rests.calibrated", { ...images, percent: (100 / normal).toFixed(1) });
  }

  async function save() {
    const body = JSON.stringify({ project: currentProject(), level, threshold: threshold() });
    try {
      const answer = await request("/threshold", { method: "PUT", headers: { "Content-Type": "application/json" }, body });
      show(await answer.json(), threshold());
      say(t("threshold.in_use", { value: view.now.threshold.toFixed(3) }));
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
    part("threshold-level-words").textContent = t(`threshold.about.${name}`);
    say(name === "pixel" ? t("threshold.reading") : "");
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
}
