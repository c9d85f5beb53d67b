// One action on many images: some requests at a time, each image on its own, so that one that fails keeps no other.

import { sentJson } from "../shared/dialog.js";
import { currentProject, request } from "../shared/net.js";

const IMAGES_AT_ONCE = 4;

const ACTS = {
  accept: (image) => annotate(image, { accept: true, prompt_version: image.prompt_version ?? 0 }),
  normal: (image) => annotate(image, { label: "normal" }),
  golden: (image) => request(`/images/${image.id}/golden`, sentJson("PUT", { golden: true })),
  ungolden: (image) => request(`/images/${image.id}/golden`, sentJson("PUT", { golden: false })),
  retry: (image) => request("/images/retry", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ project: currentProject(), ids: [image.id] }),
  }),
  delete: (image) => request(`/images/${image.id}`, { method: "DELETE" }),
};

// If-Match: an image that someone corrected after it was shown here is refused, not overwritten.
function annotate(image, statement) {
  const headers = { "Content-Type": "application/json", "If-Match": String(image.annotation?.revision ?? 0) };
  return request(`/images/${image.id}/annotation`, { method: "PUT", headers, body: JSON.stringify(statement) });
}

export class Batch {
  constructor() {
    Object.assign(this, { running: false, stopped: false });
  }

  stop() {
    this.stopped = true;
  }

  // Acts on every image; onDone(image, error or null) after each. Resolves to how many succeeded and the failures.
  async run(act, images, onDone) {
    const [waiting, failures] = [[...images], []];
    let succeeded = 0;
    Object.assign(this, { running: true, stopped: false });
    const worker = async () => {
      for (let image = waiting.shift(); image && !this.stopped; image = waiting.shift()) {
        const error = await ACTS[act](image).then(() => null, (problem) => problem);
        if (error) failures.push({ image, error });
        else succeeded++;
        onDone(image, error);
      }
    };
    await Promise.all(Array.from({ length: IMAGES_AT_ONCE }, worker));
    this.running = false;
    return { succeeded, failures };
  }
}
