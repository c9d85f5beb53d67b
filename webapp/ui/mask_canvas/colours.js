// Map value → colour. All four are ordered by lightness, so they read the same to every eye, colour-blind or not.

export const COLOUR_MAPS = {
  inferno: "000004 180c3c 420a68 6a176e 932667 bc3754 dd513a f3761b fca50a f6d746 fcffa4",
  magma: "000004 150e38 3b0f70 641a80 8c2981 b73779 de4968 f66e5c fe9f6d fecf92 fcfdbf",
  viridis: "440154 482576 414487 355f8d 2a788e 21918c 22a884 42be71 7ad151 bddf26 fde725",
  cividis: "00224e 0c3470 35456c 4f576c 666970 7d7c78 948e77 ada272 c8b866 e5cf52 fee838",
};

// The mask's colours, and which of them stands out best against each map, for every kind of colour vision.
export const MASK_COLOURS = { azure: "78deff", magenta: "ff40dc", blue: "2878ff", orange: "ff8c00", white: "ffffff" };
export const MASK_COLOUR_ON = { inferno: "azure", magma: "azure", viridis: "magenta", cividis: "azure" };

const channels = (hex) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));
const rgbaWord = ([red, green, blue], alpha) => ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;

// The threshold's line, and the dark one beside it that keeps it visible on light ground.
export const OUTLINE = rgbaWord([255, 255, 255], 235);
export const OUTLINE_HALO = rgbaWord([0, 0, 0], 150);

// 256 colours as little-endian RGBA words for a Uint32Array over ImageData. Low values let the image through.
export function colourTable(name) {
  const stops = COLOUR_MAPS[name].split(" ").map(channels);
  return Uint32Array.from({ length: 256 }, (_, i) =>
    rgbaWord(colourBetween(stops, i / 255), Math.round(255 * Math.min(1, 0.25 + (1.5 * i) / 255))),
  );
}

function colourBetween(stops, value) {
  const at = value * (stops.length - 1);
  const index = Math.min(Math.floor(at), stops.length - 2);
  return stops[index].map((low, channel) => Math.round(low + (stops[index + 1][channel] - low) * (at - index)));
}

export function colourGradient(name) {
  const stops = COLOUR_MAPS[name].split(" ").map((hex) => `#${hex}`);
  return `linear-gradient(to right, ${stops.join(", ")})`;
}

// The mask is translucent inside and bright at its edge; a dark line around it keeps it visible on its own colour.
export function maskInk(name) {
  const rgb = channels(MASK_COLOURS[name]);
  return { fill: rgbaWord(rgb, 96), edge: rgbaWord(rgb, 255), halo: rgbaWord([0, 0, 0], 130) };
}
