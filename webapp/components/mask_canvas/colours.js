// Map value → colour: inferno, perceptually ordered and safe for colour-blind eyes. Low values let the image through.

const INFERNO = [
  "000004", "160b39", "420a68", "6a176e", "932667", "bc3754", "dd513a", "f37819", "fca50a", "f6d746", "fcffa4",
].map((hex) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)));

// 256 colours as little-endian RGBA words for a Uint32Array over ImageData.
function colourTable() {
  const table = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    const [red, green, blue] = colourOf(i / 255);
    const alpha = Math.round(255 * Math.min(1, 0.25 + (1.5 * i) / 255));
    table[i] = ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  }
  return table;
}

function colourOf(value) {
  const at = value * (INFERNO.length - 1);
  const index = Math.min(Math.floor(at), INFERNO.length - 2);
  return INFERNO[index].map((low, channel) => Math.round(low + (INFERNO[index + 1][channel] - low) * (at - index)));
}

function colourGradient() {
  const stops = INFERNO.map((rgb, i) => `rgb(${rgb.join(" ")}) ${(100 * i) / (INFERNO.length - 1)}%`);
  return `linear-gradient(to right, ${stops.join(", ")})`;
}

// The mask's azure and the threshold's white stand apart from every colour of inferno.
const rgbaWord = (red, green, blue, alpha) => ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
const MASK_FILL = rgbaWord(34, 190, 255, 96);
const MASK_EDGE = rgbaWord(120, 222, 255, 255);
const OUTLINE = rgbaWord(255, 255, 255, 235);
const OUTLINE_HALO = rgbaWord(0, 0, 0, 150);
