// Tells of unsaved painting on another image than the one that is open: from a visit that ended before it was saved.

import { bus } from "../shared/bus.js";
import { t } from "../shared/texts.js";
import { timeWords } from "./words.js";

export async function showKeptNotice(canvas) {
  const { ui } = canvas.panel;
  const kept = (await canvas.drafts.list()).find((head) => head.imageId !== canvas.image?.id);
  ui["kept-notice"].hidden = !kept;
  if (!kept) return;
  ui["kept-words"].textContent = t("canvas.kept", { name: kept.fileName, time: timeWords(kept.at) });
  ui["kept-open"].onclick = () => bus.emit("open-image", { id: kept.imageId });
  ui["kept-discard"].onclick = async () => {
    await canvas.drafts.discard(kept);
    showKeptNotice(canvas);
  };
}
