// The list of those who are told, and the form for a new one. Nothing is asked of the server unless an admin looks.

import { node } from "../shared/dom.js";
import { getJson, request } from "../shared/net.js";
import { t } from "../shared/texts.js";
import { EVENTS, tried, webhookRow } from "./rows.js";

export function mount(element) {
  const root = element.querySelector("[data-testid=webhooks]");
  const part = (name) => root.querySelector(`[data-testid=${name}]`);
  const form = part("new-webhook");
  const projectChoice = form.elements.project;

  part("new-webhook-events").append(...EVENTS.map((event) => node("label", { class: "al-check" },
    node("input", { type: "checkbox", name: "event", value: event, checked: event !== "image.inspected" }), t(`webhooks.event.${event}`))));

  async function showAll() {
    const me = await getJson("/me");
    root.hidden = me.role !== "admin";
    if (root.hidden) return;
    const [webhooks, projects] = await Promise.all([getJson("/webhooks"), getJson("/projects")]);
    const names = new Map(projects.map((project) => [project.id, project.name]));
    const chosen = projectChoice.value;
    projectChoice.replaceChildren(node("option", { value: "" }, t("webhooks.project.all")),
      ...projects.map(({ name }) => node("option", { value: name, selected: name === chosen }, name)));
    part("webhook-list").replaceChildren(...webhooks.map((webhook) => webhookRow(webhook, names.get(webhook.project_id), act)));
  }

  function send(method, path, body) {
    return request(path, { method, headers: { "content-type": "application/json" }, body: body && JSON.stringify(body) });
  }

  async function attempt(work) {
    part("webhooks-error").textContent = "";
    try {
      await work();
    } catch (error) {
      part("webhooks-error").textContent = error.message;
    }
  }

  const act = {
    enable: (webhook) => attempt(async () => {
      await send("PATCH", `/webhooks/${webhook.id}`, { enabled: Boolean(webhook.disabled_at) });
      await showAll();
    }),
    remove: (webhook) => attempt(async () => {
      await send("DELETE", `/webhooks/${webhook.id}`);
      await showAll();
    }),
    test: (webhook, row) => attempt(async () => {
      row.querySelector("[data-testid=webhook-tried]")?.remove();
      row.append(tried(await (await send("POST", `/webhooks/${webhook.id}/test`)).json()));
    }),
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(async () => {
      const events = [...form.querySelectorAll("[name=event]:checked")].map(({ value }) => value);
      const { url, project, station } = form.elements;
      const wanted = { url: url.value.trim(), events, project: project.value || null, station: station.value.trim() || null };
      const { secret } = await (await send("POST", "/webhooks", wanted)).json();
      part("webhook-secret-value").textContent = secret;
      part("webhook-secret").hidden = /^mqtts?:/i.test(wanted.url); // a broker's messages aren't signed
      form.reset();
      await showAll();
    });
  });
  part("webhook-secret-done").addEventListener("click", () => {
    part("webhook-secret-value").textContent = "";
    part("webhook-secret").hidden = true;
  });
  // A hidden part is never in sight: whoever looks at the place around it may be an admin.
  new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && attempt(showAll), { rootMargin: "1500px" }).observe(element);
}
