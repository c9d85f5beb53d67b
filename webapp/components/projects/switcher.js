// The select in the bar. What it shows is the page's own address: another project is another page.

const select = element.querySelector("[data-testid=project-select]");
const MANAGE = " manage"; // no project's name begins with a space

async function showProjects() {
  const projects = await getJson("/projects");
  const shown = currentProject();
  const options = projects.map(({ name }) => node("option", { value: name }, name));
  if (!projects.some(({ name }) => name === shown)) {
    // Archived, renamed, or never there: it is shown as what it is, and any other can be chosen.
    options.unshift(node("option", { value: shown }, `${shown} (archived or gone)`));
  }
  options.push(node("option", { value: MANAGE }, "New project…"));
  select.replaceChildren(...options);
  select.value = shown;
  document.title = shown === DEFAULT_PROJECT ? "AnomalyLoop" : `${shown} · AnomalyLoop`;
}

const quietly = (work) => work.catch((error) => console.warn("The projects could not be read:", error.message));

select.addEventListener("change", () => {
  const chosen = select.value;
  select.value = currentProject(); // until the other page is there, this one shows what it shows
  if (chosen !== MANAGE) return openProject(chosen);
  openTab("settings");
  setTimeout(() => bus.emit("new-project"), 300); // when the place is laid out
});
bus.on("projects-changed", () => quietly(showProjects()));
window.addEventListener("focus", () => quietly(showProjects()));
quietly(showProjects());
