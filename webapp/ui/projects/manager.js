// The list of projects and the form for a new one. A row in which a name is being written is left alone.

import { bus } from "../shared/bus.js";
import { node, pollWhileVisible } from "../shared/dom.js";
import { currentProject, DEFAULT_PROJECT, getJson, openProject } from "../shared/net.js";
import { t } from "../shared/texts.js";
import { editMembers } from "./members.js";

export function mount(element) {
  const root = element.querySelector("[data-testid=projects]");
  const part = (name) => root.querySelector(`[data-testid=${name}]`);
  const form = part("new-project");

  async function showAll() {
    const [working, archived] = await Promise.all([getJson("/projects"), getJson("/projects?archived=true")]);
    if (part("project-name")) return; // someone writes a name: nothing moves under their hands
    part("project-list").replaceChildren(...working.map(projectRow));
    part("archived-list").replaceChildren(...archived.map(projectRow));
    part("archived").hidden = archived.length === 0;
    part("archived-count").textContent = t("projects.archived", { number: archived.length });
    const kept = form.elements.like.value;
    const own = node("option", { value: "" }, t("projects.like_backbone"));
    const others = working.filter((project) => project.prompt_version !== null);
    form.elements.like.replaceChildren(own, ...others.map(({ name }) => node("option", { value: name }, t("projects.like", { name }))));
    if ([...form.elements.like.options].some((option) => option.value === kept)) form.elements.like.value = kept;
  }

  function projectRow(project) {
    const shown = project.name === currentProject();
    const name = node("b", { class: "al-project-name" }, project.name);
    const facts = node("span", { class: "al-muted" }, factsOf(project));
    const words = node("span", { class: "al-project-words" }, name, facts);
    const row = node("li", { "data-testid": "project-row", "data-name": project.name, "aria-current": shown ? "true" : null }, words);
    const actions = node("span", { class: "al-project-actions" });
    const action = (name, does) => {
      const label = t(`projects.${name}.label`, { name: project.name });
      const button = node("button", { type: "button", class: "al-button al-small", "aria-label": label, "data-testid": `${name}-project` }, t(`projects.${name}`));
      button.addEventListener("click", does);
      actions.append(button);
    };
    if (!project.archived_at && !shown) action("open", () => openProject(project.name));
    if (project.role === "admin") adminActions(action, row, project);
    row.append(actions);
    return row;
  }

  function adminActions(action, row, project) {
    if (project.archived_at) return action("restore", () => change(project, { archived: false }));
    action("members", () => quietly(editMembers(project, () => quietly(showAll()))));
    if (project.name === DEFAULT_PROJECT) return;
    action("rename", () => writeName(row, project));
    action("archive", () => change(project, { archived: true }));
  }

  function factsOf({ images, prompt_version, members_only }) {
    const total = Object.values(images).reduce((sum, count) => sum + count, 0);
    const facts = [t("images", { count: total }), t("projects.corrected", { number: images.corrected })];
    if (prompt_version !== null) facts.push(t("projects.prompts", { version: prompt_version }));
    if (members_only) facts.push(t("projects.members_only"));
    return facts.join(", ");
  }

  function writeName(row, project) {
    const field = node("input", { class: "al-input", value: project.name, maxlength: 200, "aria-label": t("projects.rename.field", { name: project.name }), "data-testid": "project-name" });
    const save = node("button", { class: "al-button al-small al-primary" }, t("save"));
    const writing = node("form", { class: "al-project-rename" }, field, save);
    writing.addEventListener("submit", (event) => {
      event.preventDefault();
      change(project, { name: field.value });
    });
    writing.addEventListener("keydown", (event) => {
      if (event.key === "Escape") stopWriting();
    });
    row.replaceChildren(writing);
    field.select();
  }

  function stopWriting() {
    part("project-name")?.closest("li").remove();
    return quietly(showAll());
  }

  // Whatever is refused is said, and what was written stays to be mended.
  async function attempt(work) {
    part("projects-error").textContent = "";
    try {
      await work();
      bus.emit("projects-changed");
      await stopWriting();
    } catch (error) {
      part("projects-error").textContent = error.message;
    }
  }

  function sendJson(method, path, body) {
    const headers = { "content-type": "application/json" };
    return getJson(path, { method, headers, body: JSON.stringify(body) });
  }

  function change(project, changes) {
    return attempt(async () => {
      const changed = await sendJson("PATCH", `/projects/${project.id}`, changes);
      if (project.name === currentProject() && (changed.name !== project.name || changed.archived_at)) {
        openProject(changed.archived_at ? DEFAULT_PROJECT : changed.name);
      }
    });
  }

  const quietly = (work) => work.catch((error) => (part("projects-error").textContent = error.message));

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(async () => {
      const made = await sendJson("POST", "/projects", { name: form.elements.name.value, like: form.elements.like.value || null });
      form.reset();
      openProject(made.name);
    });
  });
  new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && quietly(showAll())).observe(root);
  pollWhileVisible(root, 4000, () => quietly(showAll())); // counts change while images come in
}
