// The select in the bar. What it shows is the page's own address: another project is another page.

import { bus, openTab } from "../shared/bus.js";
import { node } from "../shared/dom.js";
import { currentProject, DEFAULT_PROJECT, getJson, openProject } from "../shared/net.js";
import { t } from "../shared/texts.js";

export function mount(element) {
  const select = element.querySelector("[data-testid=project-select]");
  const MANAGE = " manage"; // no project's name begins with a space

  async function showProjects() {
    const projects = await getJson("/projects");
    const shown = currentProject();
    const options = projects.map(({ name }) => node("option", { value: name }, name));
    const works = projects.some(({ name }) => name === shown);
    if (!works) options.unshift(node("option", { value: shown }, shown));
    element.querySelector("[data-testid=project-alert]").textContent = works ? "" : await whyNot(shown);
    options.push(node("option", { value: MANAGE }, t("projects.new")));
    select.replaceChildren(...options);
    select.value = shown;
    document.title = shown === DEFAULT_PROJECT ? "AnomalyLoop" : `${shown} · AnomalyLoop`;
  }

  async function whyNot(name) {
    const archived = await getJson("/projects?archived=true");
    return archived.some((project) => project.name === name)
      ? t("projects.is_archived", { name })
      : t("projects.is_missing", { name });
  }

  // A place is laid out when it is opened for the first time, which takes a moment.
  function focusWhenVisible(selector) {
    const waiting = setInterval(() => {
      const field = document.querySelector(selector);
      if (!field?.offsetParent) return;
      clearInterval(waiting);
      field.focus();
    }, 50);
  }

  const quietly = (work) => work.catch((error) => console.warn("The projects could not be read:", error.message));

  select.addEventListener("change", () => {
    const chosen = select.value;
    select.value = currentProject(); // until the other page is there, this one shows what it shows
    if (chosen !== MANAGE) return openProject(chosen);
    openTab("settings");
    focusWhenVisible("[data-testid=new-project-name]");
  });
  bus.on("projects-changed", () => quietly(showProjects()));
  window.addEventListener("focus", () => quietly(showProjects()));
  quietly(showProjects());
}
