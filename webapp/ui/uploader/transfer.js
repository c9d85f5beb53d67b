// Sends files to the server, a few in a request and two requests at a time. Knows nothing of the page.

import { API, currentProject, getJson, Problem } from "../shared/net.js";
import { t } from "../shared/texts.js";

const FILES_PER_REQUEST = 4;
const BYTES_PER_REQUEST = 24e6;
const REQUESTS_AT_ONCE = 2;

// Posts one batch. onProgress(0–1) tells how much of it is sent. Resolves to one answer a file, in order.
function postBatch(files, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const body = new FormData();
    body.append("project", currentProject());
    for (const file of files) body.append("files", file, file.name);
    const sending = new XMLHttpRequest();
    sending.open("POST", `${API}/images`);
    sending.responseType = "text";
    sending.upload.addEventListener("progress", (event) => event.lengthComputable && onProgress(event.loaded / event.total));
    sending.addEventListener("error", () => reject(new Problem(0, t("server.silent.title"), t("upload.silent"))));
    sending.addEventListener("abort", () => reject(new DOMException("cancelled", "AbortError")));
    sending.addEventListener("load", () => {
      const answer = parseAnswer(sending);
      if (answer instanceof Problem) reject(answer);
      else resolve(answer);
    });
    signal.addEventListener("abort", () => sending.abort());
    sending.send(body);
  });
}

// Has the server draw the three sample images; resolves to the ids of the new images.
export function postSamples() {
  const headers = { "content-type": "application/json" };
  return getJson("/images/samples", { method: "POST", headers, body: JSON.stringify({ project: currentProject() }) });
}

// A problem may carry the list of what was wrong with each file: then that is the answer.
function parseAnswer({ status, responseText }) {
  let body;
  try {
    body = JSON.parse(responseText);
  } catch {
    return new Problem(status, t("server.status", { status }));
  }
  if (Array.isArray(body)) return body;
  if (Array.isArray(body.files)) return body.files;
  return new Problem(status, body.title ?? t("server.status", { status }), body.detail);
}

// Sends what `queue` holds, and what is added to it meanwhile, until it is empty or `signal` says stop. An item is
// {name, size, open()}: open() resolves to its File. onChange(item) after each change of an item's `sent` (0–1),
// `state`, `id` or `error`; onAnswer(items) after each answer of the server.
export async function sendAll(queue, onChange, onAnswer, signal) {
  const worker = async () => {
    for (let batch = takeBatch(queue); batch.length && !signal.aborted; batch = takeBatch(queue)) {
      await sendBatch(batch, onChange, signal);
      onAnswer(batch);
    }
  };
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, worker));
}

// No request carries many files, nor much more than 24 MB.
function takeBatch(queue) {
  const batch = [];
  let bytes = 0;
  while (queue.length && batch.length < FILES_PER_REQUEST && (!batch.length || bytes + queue[0].size <= BYTES_PER_REQUEST)) {
    bytes += queue[0].size;
    batch.push(queue.shift());
  }
  return batch;
}

async function sendBatch(batch, onChange, signal) {
  const change = (item, values) => onChange(Object.assign(item, values));
  for (const item of batch) change(item, { state: "sending" });
  const opened = await Promise.all(batch.map((item) => openItem(item, change)));
  const sent = batch.filter((_, index) => opened[index]);
  if (!sent.length) return;
  try {
    const progress = (share) => sent.forEach((item) => change(item, { sent: share }));
    const answers = await postBatch(opened.filter(Boolean), progress, signal);
    sent.forEach((item, index) => change(item, outcomeOf(answers[index])));
  } catch (error) {
    const cancelled = error.name === "AbortError";
    // What the server has refused it refuses again; what never reached it, what it failed at, or what came too fast
    // (429) may be sent again.
    const later = error.status === 429 || error.kind === "upload-in-progress";
    const refused = error.status >= 400 && error.status < 500 && !later;
    const state = cancelled ? "cancelled" : refused ? "failed" : "unsent";
    for (const item of sent) change(item, { state, error: cancelled ? "" : error.message, sent: 1 });
  }
}

// The item's file, or null where it can't be read: then the item says why, and the others go on.
async function openItem(item, change) {
  try {
    return await item.open();
  } catch (error) {
    change(item, { state: "failed", error: error.message, sent: 1 });
    return null;
  }
}

function outcomeOf(answer) {
  if (!answer) return { state: "unsent", error: t("upload.nothing_said"), sent: 1 };
  if (answer.error) return { state: "failed", error: answer.error, sent: 1 };
  return { state: answer.duplicate ? "duplicate" : "kept", id: answer.id, sent: 1 };
}
