// The drop zone: what is dropped, pasted or picked goes to the list and on to the server.

import { bus } from "../shared/bus.js";
import { t } from "../shared/texts.js";
import { foundInClipboard, foundInDrop, foundInFiles } from "./sources.js";
import { postSamples, sendAll } from "./transfer.js";
import { UploadList } from "./upload_list.js";

export function mount(element) {
  const root = element.querySelector("[data-testid=uploader]");
  const part = (name) => root.querySelector(`[data-testid=${name}]`);
  const uploads = new UploadList(part);
  const queue = []; // what is not being sent yet
  let sending = null; // stops what is being sent

  async function add(finding) {
    const { items, passedOver } = await finding;
    if (!items.length && !passedOver.length) return;
    if (uploads.idle) uploads.clear();
    uploads.add(items, passedOver);
    send(items);
  }

  function send(items) {
    queue.push(...items);
    if (sending) return;
    sending = new AbortController();
    sendAll(queue, (item) => uploads.change(item), announce, sending.signal).finally(() => {
      sending = null;
      if (queue.length) send([]);
    });
  }

  function cancel() {
    sending?.abort();
    for (const item of queue.splice(0)) uploads.change(Object.assign(item, { state: "cancelled" }));
  }

  function retry() {
    const again = uploads.retryable;
    for (const item of again) uploads.change(Object.assign(item, { state: "waiting", sent: 0, error: "" }));
    send(again);
  }

  function announce(batch) {
    const ids = batch.filter((item) => item.id).map((item) => item.id);
    if (ids.length) bus.emit("images-added", { ids });
  }

  async function addSamples() {
    part("upload-panel").hidden = false;
    part("upload-summary").textContent = t("upload.samples");
    try {
      const ids = await postSamples();
      uploads.clear();
      bus.emit("images-added", { ids });
    } catch (error) {
      part("upload-summary").textContent = t("upload.samples_failed", { reason: error.message ?? error });
      part("upload-close").hidden = false;
    }
  }

  // Files dropped or pasted anywhere on the page count as long as Inspect or Library is open.
  const takesFiles = () => Boolean(document.querySelector("#tab-inspect-button[aria-selected=true], #tab-library-button[aria-selected=true]"));

  function acceptDrops() {
    const carriesFiles = (event) => event.dataTransfer?.types.includes("Files") && takesFiles();
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
      add(foundInDrop(event.dataTransfer));
    });
  }

  function acceptPastes() {
    document.addEventListener("paste", (event) => {
      if (!event.clipboardData?.files.length || !takesFiles()) return;
      event.preventDefault();
      add(foundInClipboard([...event.clipboardData.files]));
    });
  }

  function takePicked(input) {
    add(foundInFiles([...input.files]));
    input.value = "";
  }

  for (const [button, input] of [["pick-files", "file-input"], ["pick-folder", "folder-input"]]) {
    part(button).addEventListener("click", () => part(input).click());
    part(input).addEventListener("change", () => takePicked(part(input)));
    if (part(input).files.length) takePicked(part(input)); // they were quicker than this module
  }
  part("upload-cancel").addEventListener("click", cancel);
  part("upload-retry").addEventListener("click", retry);
  part("upload-close").addEventListener("click", () => uploads.clear());
  bus.on("pick-files", () => part("file-input").click());
  bus.on("add-samples", addSamples);
  acceptDrops();
  acceptPastes();
}
