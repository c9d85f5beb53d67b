// One card an image: made once, changed in place.

import { factsWords, node, reasonWords, scoreNode, thumbnailUrl, verdictBadge } from "../shared/dom.js";
import { letGo } from "../shared/image_list.js";
import { t } from "../shared/texts.js";

export class Cards {
  // act: {open(id), select(id, event)}
  constructor(act) {
    Object.assign(this, { act, cards: new Map() });
  }

  // The card of an image as it is now; `queue`: with the reason to correct it.
  of(image, { selected, queue, failure }) {
    if (!this.cards.has(image.id)) this.cards.set(image.id, this.make(image));
    const card = this.cards.get(image.id);
    const state = [image.status, image.score, image.old_score, image.verdict, image.annotation?.revision, image.golden, image.reason, selected, queue, failure].join();
    if (card.dataset.state !== state) this.fill(card, image, { selected, queue, failure });
    card.dataset.state = state;
    return card;
  }

  make(image) {
    const picture = node("img", { src: thumbnailUrl(image), alt: "", loading: "lazy", decoding: "async", draggable: "false", width: 150, height: 150 });
    const name = node("span", { class: "al-card-name", title: image.file_name }, image.file_name);
    const facts = factsWords(image);
    const rest = [node("span", { class: "al-card-facts", title: facts }, facts), node("span", { class: "al-strip-facts" }), node("span", { class: "al-card-reason" }), node("span", { class: "al-card-failure" })];
    const button = node("button", { type: "button", tabindex: -1, "data-testid": "library-item", "data-id": image.id }, picture, name, ...rest);
    const tick = node("input", { type: "checkbox", tabindex: -1, "data-testid": "library-tick", "aria-label": t("library.select_one", { name: image.file_name }) });
    button.addEventListener("click", (event) => (event.shiftKey || event.ctrlKey || event.metaKey ? this.act.select(image.id, event) : this.act.open(image.id)));
    tick.addEventListener("click", (event) => this.act.select(image.id, event));
    return node("li", {}, button, tick);
  }

  fill(card, image, { selected, queue, failure }) {
    const [button, tick] = card.children;
    const part = (name) => card.querySelector(`.al-${name}`);
    const golden = image.golden && node("span", { class: "al-badge al-badge-golden", role: "img", title: t("golden.card"), "aria-label": t("golden.card"), "data-testid": "golden" }, "★");
    part("strip-facts").replaceChildren(scoreNode(image), ...(golden ? [golden] : []), verdictBadge(image));
    part("card-reason").textContent = queue && image.reason && !image.annotation ? reasonWords(image.reason) : "";
    part("card-failure").textContent = failure ?? image.scoring_error ?? "";
    button.dataset.status = image.status;
    card.classList.toggle("al-selected", selected);
    tick.checked = selected;
  }

  // Lets the cards of all others go.
  keepOnly(ids) {
    letGo(this.cards, (id) => ids.has(id));
  }
}
