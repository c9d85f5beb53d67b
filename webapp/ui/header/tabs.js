// The open tab survives a reload of the page.

export function mount() {
  const KEPT_TAB = "anomalyloop-tab";
  const tabButtons = () => [...document.querySelectorAll("[id^=tab-][id$=-button]")];

  document.addEventListener("click", (event) => {
    const tab = event.target.closest?.("[id^=tab-][id$=-button]");
    if (tab) sessionStorage.setItem(KEPT_TAB, tab.id);
  });

  const kept = sessionStorage.getItem(KEPT_TAB);
  const restoring = setInterval(() => {
    if (!tabButtons().length) return;
    clearInterval(restoring);
    if (kept && !kept.includes("inspect")) document.getElementById(kept)?.click();
  }, 50);
}
