// Tells when a CSS pixel has another number of device pixels: the window moved to another screen, or the page is zoomed.

// A query is for one ratio: it says that this one was left, and the next one is asked for the ratio that came.
export function onPixelRatioChange(changed) {
  const leaving = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
  const left = () => {
    onPixelRatioChange(changed);
    changed();
  };
  leaving.addEventListener("change", left, { once: true });
}
