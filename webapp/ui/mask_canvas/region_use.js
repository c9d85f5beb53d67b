// The painted mask as the region of interest of the project, or as one to ignore: it says which pixels count, and is no
// correction of the image that it was drawn on.

import { bus } from "../shared/bus.js";
import { t } from "../shared/texts.js";
import { useRegion } from "../interest/regions.js";
import { ask } from "./dialog.js";
import { encodeMaskPng } from "./png.js";
import { loadMask } from "./records.js";

export class RegionUse {
  constructor(canvas) {
    this.canvas = canvas;
    const { ui } = canvas.panel;
    for (const marks of ["ignore", "interest"]) ui[`region-${marks}`].addEventListener("click", () => this.use(marks));
  }

  // What the image shows of it, and for which images a drawn one would be.
  show({ region_of_interest: region, station }) {
    const { ui } = this.canvas.panel;
    ui["region-state"].textContent = region ? t(`region.${region}`) : "";
    ui["region-state"].hidden = !region;
    ui["region-station-row"].hidden = !station;
    ui["region-station-words"].textContent = t("region.station", { station: station ?? "" });
  }

  async use(marks) {
    const { canvas } = this;
    canvas.tools.finish();
    if (!canvas.image || !(await canvas.decisions.settled())) return;
    const { image, mask, panel } = canvas;
    if (mask.area === 0) return panel.say(t("region.nothing_painted"), "error");
    const station = image.station && panel.ui["region-station"].checked ? image.station : "";
    const choice = await ask(canvas.dialog, {
      title: t(`region.${marks}.title`),
      text: t(station ? "region.text.station" : "region.text", { station }),
      choices: { use: t("region.use") },
    });
    if (choice !== "use" || canvas.image?.id !== image.id) return;
    await this.send(image, { mask: await encodeMaskPng(mask), marks, station });
  }

  async send(image, region) {
    const { canvas } = this;
    canvas.panel.setBusy(true);
    try {
      await useRegion(image.project_id, region);
      const saved = await loadMask(image);
      if (canvas.image?.id === image.id) canvas.adopt(saved); // what was painted was no correction
      canvas.panel.say(t("region.used"));
      bus.emit("regions-changed");
    } catch (error) {
      canvas.panel.say(error.message, "error");
    } finally {
      canvas.panel.setBusy(false);
    }
  }
}
