// A line for each webhook, and what a test sent. `act` is what webhooks.js does when a button is pressed.

import { node } from "../shared/dom.js";
import { LOCALE, t } from "../shared/texts.js";

export const EVENTS = ["run.finished", "image.anomalous", "image.inspected"];

export function webhookRow(webhook, projectName, act) {
  const listens = webhook.events.map((event) => t(`webhooks.event.${event}`)).join(", ");
  const only = [projectName ?? t("webhooks.project.all"), webhook.station, webhook.verdict && t(`verdict.${webhook.verdict}`)].filter(Boolean).join(" · ");
  const words = node("span", { class: "al-project-words" },
    node("b", { class: "al-project-name" }, webhook.url),
    node("span", { class: "al-muted" }, `${listens} · ${only}`),
    node("span", { class: "al-muted", "data-testid": "webhook-state" }, state(webhook)));
  const row = node("li", { "data-testid": "webhook-row", "data-url": webhook.url });
  const button = (key, label, does) => {
    const made = node("button", { type: "button", class: "al-button al-small", "aria-label": `${t(key)}: ${webhook.url}`, "data-testid": label }, t(key));
    made.addEventListener("click", does);
    return made;
  };
  row.append(words, node("span", { class: "al-project-actions" },
    button("webhooks.test", "webhook-test", () => act.test(webhook, row)),
    button(webhook.disabled_at ? "webhooks.enable" : "webhooks.disable", "webhook-enable", () => act.enable(webhook)),
    button("webhooks.delete", "webhook-delete", () => act.remove(webhook))));
  return row;
}

function state(webhook) {
  if (webhook.disabled_at) return [t("webhooks.state.off"), webhook.note].filter(Boolean).join(": ");
  if (!webhook.failures) return t("webhooks.state.well");
  const until = webhook.resting_until && new Date(webhook.resting_until).toLocaleTimeString(LOCALE);
  return t(until ? "webhooks.state.rests" : "webhooks.state.fails", { count: webhook.failures, until });
}

export function tried({ address, headers, body, problem, milliseconds }) {
  const answer = problem || t("webhooks.test.taken", { milliseconds: Math.round(milliseconds) });
  const lines = [address, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`), "", JSON.stringify(body, null, 1)];
  return node("div", { class: "al-webhook-tried", role: "status", "data-testid": "webhook-tried" },
    node("p", { class: problem ? "al-error-text" : "al-muted", "data-testid": "webhook-answer" }, answer),
    node("pre", { tabindex: "0", "aria-label": t("webhooks.test.sent") }, lines.join("\n")));
}
