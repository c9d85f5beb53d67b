// One line in Inspect: a model on its way, images that are scored anew, or the next better model on a first visit.

import { openTab } from "../shared/bus.js";
import { getJson } from "../shared/net.js";
import { t } from "../shared/texts.js";
import { changeProgress, inGigabytes, Pace, rescoringProgress, setBar } from "./words.js";

export function mount(element) {
  const root = element.querySelector("[data-testid=model-offer]");
  const part = (name) => root.querySelector(`[data-testid=${name}]`);
  const AWAY = "anomalyloop.model-offer.away";
  const [fetchPace, scorePace] = [new Pace(), new Pace()];

  async function show() {
    const [models, me] = await Promise.all([getJson("/models"), getJson("/me")]);
    const now = goingOn(models) ?? offered(models, me.role === "admin");
    root.hidden = !now;
    if (!now) return;
    part("model-offer-words").textContent = now.words;
    part("model-offer-bar").hidden = now.share === undefined;
    if (now.share !== undefined) setBar(part("model-offer-bar"), now.share);
    part("model-offer-open").hidden = me.role !== "admin";
    part("model-offer-away").hidden = now.share !== undefined;
  }

  function goingOn({ change, rescoring }) {
    if (change && ["checking", "fetching", "loading"].includes(change.state)) {
      const { share, words } = changeProgress(change, fetchPace);
      return { share, words: `${t(`models.state.${change.state}`, { name: change.name })}: ${words}` };
    }
    const progress = rescoringProgress(rescoring, scorePace);
    return progress && { share: progress.share, words: `${t("models.rescoring")}: ${progress.words}` };
  }

  function offered({ offer, recommended }, mayChoose) {
    if (!offer || !mayChoose || localStorage.getItem(AWAY)) return null;
    const { key, download } = recommended.find((one) => one.name === offer);
    return { words: t("models.offer", { name: t(`models.${key}`), size: inGigabytes(download) }) };
  }

  part("model-offer-open").addEventListener("click", () => {
    openTab("settings");
    const waiting = setInterval(() => {
      const models = document.getElementById("models");
      if (!models?.offsetParent) return;
      clearInterval(waiting);
      models.scrollIntoView({ block: "start" });
    }, 50);
  });
  part("model-offer-away").addEventListener("click", () => {
    localStorage.setItem(AWAY, "1");
    root.hidden = true;
  });

  const quietly = (work) => work.catch((error) => console.warn("What goes on with the model could not be read:", error.message));
  quietly(show());
  let busy = false;
  setInterval(async () => {
    if (busy || document.hidden || document.getElementById("inspect")?.offsetParent === null) return;
    busy = true;
    await quietly(show());
    busy = false;
  }, 2500);
}
