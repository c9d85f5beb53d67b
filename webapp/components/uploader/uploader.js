// The drop zone and the list of what happens to each file.

const root = element.querySelector("[data-testid=uploader]");
const part = (name) => root.querySelector(`[data-testid=${name}]`);
const OUTCOMES = { waiting: "waiting", sending: "sending", kept: "added", duplicate: "already here", failed: "refused" };
let items = [];

function addFiles(files) {
  const added = [...files].map((file) => ({ file, sent: 0, state: "waiting", row: uploadRow(file) }));
  if (!added.length) return;
  if (!items.some((item) => item.state === "waiting" || item.state === "sending")) clearList();
  items.push(...added);
  part("upload-list").append(...added.map((item) => item.row));
  part("upload-panel").hidden = false;
  showTotals();
  sendAll(added, showItem, announce);
}

function uploadRow(file) {
  const name = node("span", { class: "al-upload-name", title: file.name }, file.name);
  const outcome = node("span", { class: "al-upload-outcome" }, OUTCOMES.waiting);
  const row = node("li", { "data-state": "waiting", "data-testid": "upload-item" }, name, outcome, node("i"), node("p"));
  return row;
}

function showItem(item) {
  const { row, state, sent, error } = item;
  row.dataset.state = state;
  row.style.setProperty("--sent", sent);
  row.querySelector(".al-upload-outcome").textContent =
    state === "sending" ? (sent < 1 ? `${Math.round(sent * 100)} %` : "checking") : OUTCOMES[state];
  row.querySelector("p").textContent = error ?? "";
  if (state === "failed") part("upload-list").prepend(row);
  showTotals();
}

function showTotals() {
  const count = (...states) => items.filter((item) => states.includes(item.state)).length;
  const [done, failed] = [count("kept", "duplicate", "failed"), count("failed")];
  const sent = items.reduce((sum, item) => sum + (["waiting", "sending"].includes(item.state) ? item.sent * 0.9 : 1), 0);
  const share = Math.round((100 * sent) / items.length);
  part("upload-bar").setAttribute("aria-valuenow", share);
  part("upload-bar").style.setProperty("--share", `${share}%`);
  const finished = done === items.length;
  part("upload-panel").dataset.state = finished ? (failed ? "failed" : "done") : "sending";
  part("upload-close").hidden = !finished;
  part("upload-summary").textContent = finished ? finishedWords(count) : `${done} of ${items.length}`;
}

function finishedWords(count) {
  const words = [`${count("kept")} added`];
  if (count("duplicate")) words.push(`${count("duplicate")} already here`);
  if (count("failed")) words.push(`${count("failed")} refused`);
  return words.join(", ");
}

function announce(batch) {
  const ids = batch.filter((item) => item.id).map((item) => item.id);
  if (ids.length) bus.emit("images-added", { ids });
}

function clearList() {
  items = [];
  part("upload-list").replaceChildren();
  part("upload-panel").hidden = true;
}

async function addSamples() {
  part("upload-panel").hidden = false;
  part("upload-summary").textContent = "Drawing three sample images…";
  try {
    const ids = await server.add_samples(currentProject());
    clearList();
    bus.emit("images-added", { ids });
  } catch (error) {
    part("upload-summary").textContent = `The sample images could not be added: ${error.message ?? error}`;
    part("upload-close").hidden = false;
  }
}

// Files dropped anywhere on the page count as long as Inspect is open.
function acceptDrops() {
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files") && root.offsetParent !== null;
  let depth = 0;
  const mark = (change) => {
    depth = Math.max(0, depth + change);
    document.body.classList.toggle("al-dropping", depth > 0);
  };
  document.addEventListener("dragenter", (event) => carriesFiles(event) && mark(1));
  document.addEventListener("dragleave", (event) => carriesFiles(event) && mark(-1));
  document.addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    mark(-depth);
    addFiles(event.dataTransfer.files);
  });
}

part("pick-files").addEventListener("click", () => part("file-input").click());
part("file-input").addEventListener("change", (event) => {
  addFiles(event.target.files);
  event.target.value = "";
});
part("upload-close").addEventListener("click", clearList);
bus.on("pick-files", () => part("file-input").click());
bus.on("add-samples", addSamples);
acceptDrops();
