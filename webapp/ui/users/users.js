// The list of accounts and the form for a new one. Nothing is asked of the server unless an admin looks.

import { startOf } from "../shared/dates.js";
import { API, getJson, request } from "../shared/net.js";
import { t } from "../shared/texts.js";
import { auditTable, roleOptions, userRow } from "./rows.js";
import { askForToken } from "./token.js";

export function mount(element) {
  const root = element.querySelector("[data-testid=users]");
  const part = (name) => root.querySelector(`[data-testid=${name}]`);
  const form = part("new-user");

  form.elements.role.append(...roleOptions("annotator"));

  async function showUsers() {
    const me = await getJson("/me");
    if (me.role !== "admin") return;
    part("users-about").textContent = t(me.accounts ? "users.about" : "users.about.without");
    const users = await getJson("/users");
    const tokens = await Promise.all(users.map((user) => getJson(`/users/${user.id}/tokens`)));
    if (part("user-answer")) return; // someone writes: nothing moves under their hands
    part("user-list").replaceChildren(...users.map((user, index) => userRow(user, tokens[index], act)));
    if (part("audit").open) part("audit-log").replaceChildren(auditTable(await getJson("/audit")));
  }

  // The days are those of the viewer, both of them whole.
  function showExport() {
    const { from, to } = part("audit-days").elements;
    const asked = new URLSearchParams();
    if (from.value) asked.set("at_from", startOf(from.value, 0));
    if (to.value) asked.set("at_before", startOf(to.value, 1));
    part("audit-export").href = `${API}/audit/export?${asked}`;
  }

  function send(method, path, body) {
    const headers = { "content-type": "application/json" };
    return request(path, { method, headers, body: body && JSON.stringify(body) });
  }

  // Whatever is refused is said, and what was written stays to be mended.
  async function attempt(work) {
    part("users-error").textContent = "";
    try {
      await work();
      part("user-answer")?.closest("li").remove();
    } catch (error) {
      part("users-error").textContent = error.message;
    }
    await quietly(showUsers());
  }

  const act = {
    change: (user, changes) => attempt(() => send("PATCH", `/users/${user.id}`, changes)),
    revoke: (user, token) => attempt(() => send("DELETE", `/users/${user.id}/tokens/${token.id}`)),
    makeToken: (user) => quietly(askForToken(user, async (wanted) => {
      const { token } = await (await send("POST", `/users/${user.id}/tokens`, wanted)).json();
      part("new-token-value").textContent = token;
      part("new-token").hidden = false;
      quietly(showUsers());
    })),
  };

  const quietly = (work) => work.catch((error) => (part("users-error").textContent = error.message));

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(async () => {
      const { name, role, password } = form.elements;
      await send("POST", "/users", { name: name.value, role: role.value, password: password.value || null });
      form.reset();
    });
  });
  part("new-token-done").addEventListener("click", () => {
    part("new-token-value").textContent = "";
    part("new-token").hidden = true;
  });
  part("audit").addEventListener("toggle", () => quietly(showUsers()));
  part("audit-days").addEventListener("change", showExport);
  showExport();
  // A little ahead of who scrolls down to it.
  new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && quietly(showUsers()), { rootMargin: "1500px" }).observe(root);
}
