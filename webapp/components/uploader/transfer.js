// Sends files to the server, a few in a request and two requests at a time. Knows nothing of the page.

const FILES_PER_REQUEST = 4;
const BYTES_PER_REQUEST = 24e6;
const REQUESTS_AT_ONCE = 2;

// Groups files so that no request carries many of them, nor much more than 24 MB.
function makeBatches(items) {
  const batches = [];
  let bytes = 0;
  for (const item of items) {
    const full = batches.at(-1)?.length >= FILES_PER_REQUEST || bytes + item.file.size > BYTES_PER_REQUEST;
    if (!batches.length || full) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1).push(item);
    bytes += item.file.size;
  }
  return batches;
}

// Posts one batch. onProgress(0–1) tells how much of it is sent. Resolves to one answer a file, in order.
function postBatch(files, onProgress) {
  return new Promise((resolve, reject) => {
    const body = new FormData();
    body.append("project", currentProject());
    for (const file of files) body.append("files", file, file.name);
    const sending = new XMLHttpRequest();
    sending.open("POST", `${API}/images`);
    sending.responseType = "text";
    sending.upload.addEventListener("progress", (event) => event.lengthComputable && onProgress(event.loaded / event.total));
    sending.addEventListener("error", () => reject(new Problem(0, "Not sent", "The server does not answer. Add the file again when it runs.")));
    sending.addEventListener("load", () => {
      const answer = parseAnswer(sending);
      answer instanceof Problem ? reject(answer) : resolve(answer);
    });
    sending.send(body);
  });
}

// A problem may carry the list of what was wrong with each file: then that is the answer.
function parseAnswer({ status, responseText }) {
  let body;
  try {
    body = JSON.parse(responseText);
  } catch {
    return new Problem(status, "Refused", `The server answered ${status}.`);
  }
  if (Array.isArray(body)) return body;
  if (Array.isArray(body.files)) return body.files;
  return new Problem(status, body.title ?? "Refused", body.detail ?? body.title ?? `The server answered ${status}.`);
}

// Sends all items; onChange(item) after each change of an item's `sent` (0–1), `state`, `id` or `error`, and
// onAnswer(items) after each answer of the server.
async function sendAll(items, onChange, onAnswer) {
  const batches = makeBatches(items);
  const worker = async () => {
    for (let batch = batches.shift(); batch; batch = batches.shift()) {
      await sendBatch(batch, onChange);
      onAnswer(batch);
    }
  };
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, worker));
}

async function sendBatch(batch, onChange) {
  const change = (item, values) => onChange(Object.assign(item, values));
  for (const item of batch) change(item, { state: "sending" });
  try {
    const answers = await postBatch(
      batch.map((item) => item.file),
      (sent) => batch.forEach((item) => change(item, { sent })),
    );
    batch.forEach((item, index) => change(item, outcomeOf(answers[index])));
  } catch (error) {
    for (const item of batch) change(item, { state: "failed", error: error.message, sent: 1 });
  }
}

function outcomeOf(answer) {
  if (!answer) return { state: "failed", error: "The server said nothing of this file. Add it again.", sent: 1 };
  if (answer.error) return { state: "failed", error: answer.error, sent: 1 };
  return { state: answer.duplicate ? "duplicate" : "kept", id: answer.id, sent: 1 };
}
