// The grid by keyboard: arrows move, Space selects, Shift with an arrow extends, Enter opens, letters act.

export function listenToGridKeys(root, grid, act) {
  const buttons = () => [...grid.querySelectorAll("[data-testid=library-item]")];
  const columns = () => getComputedStyle(grid).gridTemplateColumns.split(" ").length;

  // One card at a time is reached by Tab.
  function focus(button) {
    for (const other of grid.querySelectorAll("[tabindex='0']")) other.tabIndex = -1;
    button.tabIndex = 0;
    button.focus();
    button.scrollIntoView({ block: "nearest" });
  }

  function step(event, by) {
    const all = buttons();
    const target = all[all.indexOf(event.target) + by];
    if (!target) return;
    focus(target);
    if (event.shiftKey) act.extend(Number(target.dataset.id));
  }

  const steps = { ArrowRight: () => 1, ArrowLeft: () => -1, ArrowDown: () => columns(), ArrowUp: () => -columns() };
  grid.addEventListener("keydown", (event) => {
    if (!event.target.matches("[data-testid=library-item]")) return;
    if (steps[event.key]) step(event, steps[event.key]());
    else if (event.key === " ") act.toggle(Number(event.target.dataset.id));
    else return;
    event.preventDefault();
  });
  grid.addEventListener("focusin", (event) => {
    if (event.target.matches("[data-testid=library-item]")) focus(event.target);
  });

  const letters = { a: act.accept, n: act.normal, Delete: act.delete, Escape: act.none };
  document.addEventListener("keydown", (event) => {
    const busy = root.offsetParent === null || document.querySelector("dialog[open]");
    if (busy || event.altKey || event.target.matches?.("input:not([type=checkbox]), select, textarea")) return;
    const control = event.ctrlKey || event.metaKey;
    if (control && event.key === "a") act.all();
    else if (!control && letters[event.key]) letters[event.key]();
    else return;
    event.preventDefault();
  });
}
