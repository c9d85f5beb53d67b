// A click on a version's button asks the page to put that version to use.

element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-activate]");
  if (!button || button.disabled) return;
  button.disabled = true;
  trigger("activate", { id: Number(button.dataset.activate) });
  // The table is only drawn anew when the version really changes.
  setTimeout(() => (button.disabled = false), 3000);
});
