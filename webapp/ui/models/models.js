// The list of models, the one on its way, and the way to any other. Only admins get buttons.

import { node, pollWhileVisible } from "../shared/dom.js";
import { currentProject, getJson } from "../shared/net.js";
import { t } from "../shared/texts.js";
import { changeProgress, inGigabytes, Pace, rescoringProgress, setBar } from "./words.js";

export function mount(element) {
  const root = element.querySelector("[data-testid=models]");
  const part = (name) => root.querySelector(`[data-testid=${name}]`);
  const LIVE = ["checking", "fetching", "loading"];
  const [fetchPace, scorePace] = [new Pace(), new Pace()];
  let mayChoose = false;
  let shown = "";

  async function show(given) {
    const models = given ?? (await getJson("/models"));
    mayChoose = (await getJson("/me")).role === "admin" && !models.setting;
    part("models-about").textContent = models.setting ? t("models.set", { name: models.setting }) : t("models.about");
    showChange(models.change);
    showRescoring(models.rescoring);
    const state = JSON.stringify([models.name, models.seconds, models.change, models.recommended, models.files, models.previous, mayChoose]);
    if (state === shown) return; // buttons stay where they are under a hand
    shown = state;
    part("model-list").replaceChildren(...rows(models).map((one) => modelRow(one, models)));
    part("model-back-line").hidden = !mayChoose || !models.previous || isLive(models);
    part("model-back").textContent = t("models.back", { name: titleOf(models.previous, models.recommended) });
    part("model-back").onclick = () => use(models.previous);
    part("other-model").hidden = !mayChoose;
    part("published").hidden = !mayChoose || !models.name.startsWith("ViT-L-14-336-quickgelu");
    part("model-offline").textContent = t("models.offline.about", { folder: models.folder });
    part("model-files").replaceChildren(...models.files.map((name) => node("li", {}, node("code", {}, name))));
  }

  const isLive = (models) => LIVE.includes(models.change?.state);

  // A configuration of ours has a long path for a name.
  const shortName = (name) => name.split("/").slice(-2).join("/");

  function titleOf(name, recommended) {
    const known = recommended.find((one) => one.name === name);
    return known ? t(`models.${known.key}`) : shortName(name);
  }

  // The short list, and the model in use where it is none of it.
  function rows({ name, recommended, seconds, device }) {
    if (recommended.some((one) => one.name === name)) return recommended;
    return [...recommended, { name, key: "own", download: 0, memory: 0, licence: "", seconds, device }];
  }

  function modelRow(one, models) {
    const inUse = one.name === models.name;
    const words = node("span", { class: "al-project-words" },
      node("b", { class: "al-project-name" }, t(`models.${one.key}`, { name: shortName(one.name) })),
      node("span", { class: "al-muted" }, t(`models.${one.key}.about`)),
      node("span", { class: "al-muted" }, factsOf(one)));
    const lacking = inUse ? "" : lackOf(one, models);
    if (lacking) words.append(node("span", { class: "al-model-lacking" }, lacking));
    const actions = node("span", { class: "al-project-actions" });
    if (inUse) actions.append(node("span", { class: "al-badge al-badge-normal" }, t("models.in_use")));
    else if (mayChoose && !isLive(models)) {
      const button = node("button", { type: "button", class: "al-button al-small", "data-testid": "use-model", "aria-label": t("models.use.label", { name: one.name }) }, t("models.use"));
      button.addEventListener("click", () => use(one.name));
      actions.append(button);
    }
    return node("li", { "data-testid": "model-row", "data-name": one.name, "aria-current": inUse ? "true" : null }, words, actions);
  }

  function factsOf({ download, memory, licence, seconds, device }) {
    const facts = [];
    if (download) facts.push(t("models.download", { size: inGigabytes(download) }));
    if (memory) facts.push(t("models.memory", { size: inGigabytes(memory) }));
    if (licence) facts.push(licence);
    if (seconds) facts.push(t("models.seconds", { seconds: seconds.toFixed(seconds < 1 ? 2 : 1), device }));
    else if (memory) facts.push(t("models.untried"));
    return facts.join(" · ");
  }

  // What is missing for it, as far as this machine knows; it is looked at again before anything is fetched.
  function lackOf({ download, memory }, models) {
    const disk = models.free_disk !== null && models.free_disk < download;
    if (disk) return t("models.no_disk", { needed: inGigabytes(download), free: inGigabytes(models.free_disk) });
    const needed = memory + download;
    if (models.free_memory !== null && models.free_memory < needed) return t("models.no_memory", { needed: inGigabytes(needed), free: inGigabytes(models.free_memory) });
    return "";
  }

  function showChange(change) {
    const isOver = !change || change.state === "cancelled";
    part("model-change").hidden = isOver;
    if (isOver) return;
    const { share, words } = changeProgress(change, fetchPace);
    const failed = change.state === "failed";
    part("model-change").dataset.state = change.state;
    part("model-change-title").textContent = t(`models.state.${change.state}`, { name: change.name });
    part("model-change-words").textContent = words;
    part("model-change-bar").hidden = failed;
    setBar(part("model-change-bar"), share);
    part("model-cancel").hidden = failed || !mayChoose;
    part("model-again").hidden = !failed || !mayChoose;
    part("model-again").onclick = () => use(change.name);
  }

  function showRescoring(rescoring) {
    const progress = rescoringProgress(rescoring, scorePace);
    part("model-rescoring").hidden = !progress;
    if (!progress) return;
    part("model-rescoring-words").textContent = `${progress.words} · ${t("models.rescoring.about")}`;
    setBar(part("model-rescoring-bar"), progress.share);
  }

  function sendJson(method, path, body) {
    const headers = { "content-type": "application/json" };
    return getJson(path, { method, headers, body: JSON.stringify(body) });
  }

  // Whatever is refused is said.
  async function attempt(work) {
    part("models-error").textContent = "";
    try {
      await show(await work());
    } catch (error) {
      part("models-error").textContent = error.message;
    }
  }

  const use = (name) => attempt(() => sendJson("POST", "/models", { name }));

  part("model-cancel").addEventListener("click", () => attempt(() => getJson("/models/change", { method: "DELETE" })));
  part("model-form").addEventListener("submit", (event) => {
    event.preventDefault();
    use(event.target.elements.name.value);
  });
  part("model-file").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (!file) return;
    const form = new FormData();
    form.append("file", file);
    part("model-file-outcome").textContent = t("models.uploading", { name: file.name });
    await attempt(async () => {
      const { name } = await getJson("/models/files", { method: "POST", body: form });
      part("model-file-outcome").textContent = t("models.uploaded", { name });
    });
    if (part("models-error").textContent) part("model-file-outcome").textContent = "";
    event.target.value = "";
  });
  for (const tunedOn of ["visa", "mvtec"]) {
    part(`published-${tunedOn}`).addEventListener("click", () => attempt(async () => {
      part("published-outcome").textContent = t("models.published.fetching");
      try {
        const version = await sendJson("POST", "/prompts/published", { tuned_on: tunedOn, project: currentProject() });
        part("published-outcome").textContent = t("models.published.done", { version: version.number });
      } catch (error) {
        part("published-outcome").textContent = "";
        throw error;
      }
    }));
  }

  const quietly = (work) => work.catch((error) => (part("models-error").textContent = error.message));
  new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && quietly(show())).observe(root);
  pollWhileVisible(root, 1500, () => quietly(show()));
}
