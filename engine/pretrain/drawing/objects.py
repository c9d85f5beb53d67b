"""Scenes of made things: surfaces, parts on a ground, circuit boards, printed labels."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from engine.pretrain.drawing.fields import Field, Rng, fractal, grain, grid, soft_step
from engine.pretrain.drawing.materials import MATERIALS
from engine.pretrain.drawing.palette import Picture, blend, random_colour, shifted, tone
from engine.pretrain.drawing.scene import Scene
from engine.pretrain.drawing.shapes import FORMS, Points, filled, silhouette, strokes

_TIN = np.array([0.75, 0.75, 0.72], dtype=np.float32)
_CALM = ("plastic", "paint", "rolled_metal", "paper", "ceramic", "brushed_metal", "concrete")
_FORM_NOUNS = {
    "disc": ("tablet", "cap", "coin"),
    "ellipse": ("capsule", "bean", "lens"),
    "gear": ("gear", "cog"),
    "polygon": ("nut", "tile", "chip"),
    "plate": ("plate", "case", "bottle"),
    "pebble": ("nut", "cookie", "stone"),
}


def surface(rng: Rng, size: int) -> Scene:
    """One material that fills the picture."""
    name = str(rng.choice(list(MATERIALS)))
    rgb = MATERIALS[name](rng, size)
    return Scene(rgb, np.ones((size, size), dtype=bool), name.replace("_", " "), "surface", rgb)


def parts(rng: Rng, size: int) -> Scene:
    """One big part, or several alike, on a ground, with shadow and rounded edges."""
    ground = _ground(rng, size)
    form = str(rng.choice(FORMS))
    count = 1 if rng.random() < 0.6 else int(rng.integers(2, 4)) ** 2
    skin = MATERIALS[str(rng.choice(list(MATERIALS) if rng.random() < 0.6 else _CALM))](rng, size)
    if abs(float(skin.mean() - ground.mean())) < 0.12:
        skin = np.clip(skin + rng.choice([-0.25, 0.25]), 0, 1)
    seed = int(rng.integers(2**31))
    turn, spin = rng.uniform(0, 2 * np.pi), rng.random() < 0.5
    pieces: list[Field] = []
    for row, column, radius in _places(rng, size, count):
        angle = rng.uniform(0, 2 * np.pi) if spin else turn
        pieces.append(silhouette(np.random.default_rng(seed), size, (row, column), radius, form, angle))
    rgb, holes = ground, rng.random() < 0.3
    for piece in pieces:
        rgb = _lay(rng, rgb, _detailed(seed, skin, piece, holes), piece)
    region = np.max(pieces, axis=0) > 0.9
    return Scene(rgb, region, str(rng.choice(_FORM_NOUNS[form])), "parts", ground, pieces if count > 1 else [])


def board(rng: Rng, size: int) -> Scene:
    """A circuit board: copper traces, pads, chips and small components in rows."""
    colour = tone(rng, rng.choice([[0.3, 0.45], [0.55, 0.65], [0.98, 1.02], [0.1, 0.12]]), (0.4, 0.9), (0.12, 0.6))
    rgb = np.tile(colour, (size, size, 1)) + grain(rng, size, 0.7)[..., None] * 0.012
    copper = strokes(size, *_traces(rng, size))
    rgb = blend(rgb, np.clip(shifted(rng, colour, rng.uniform(0.06, 0.25)), 0, 1), copper)
    rgb = blend(rgb, tone(rng, (0.1, 0.14), (0.1, 0.6), (0.6, 0.95)), _pads(rng, size))
    background, pieces = rgb, []
    for _ in range(int(rng.integers(2, 5))):
        piece_colour = random_colour(rng, 0.05, 0.9)
        height, width = size * rng.uniform(0.04, 0.2), size * rng.uniform(0.04, 0.2)
        row, column = rng.uniform(0.1, 0.9, 2) * size
        pitch = (rng.uniform(1.4, 2.0) * height, 0.0) if rng.random() < 0.5 else (0.0, rng.uniform(1.4, 2.0) * width)
        for number in range(int(rng.integers(1, 5))):
            top, left = row + number * pitch[0], column + number * pitch[1]
            piece = _box(size, top, left, height, width)
            pieces.append(piece)
            rgb = _lay(rng, rgb, np.broadcast_to(piece_colour, rgb.shape), piece)
            pins = np.clip(_box(size, top, left, height * 1.25, width) - piece, 0, 1)
            rgb = blend(rgb, _TIN, pins * _comb(size, width))
    noun = str(rng.choice(["circuit board", "board", "pcb"]))
    return Scene(rgb, np.ones((size, size), dtype=bool), noun, "board", background, pieces)


def label(rng: Rng, size: int) -> Scene:
    """A print: lines of text, bars and simple figures on paper, plastic or metal."""
    ground = _ground(rng, size)
    ink = shifted(rng, ground.mean((0, 1)), rng.uniform(0.3, 0.7))
    sheet = Image.new("L", (size * 2, size * 2), 0)
    draw = ImageDraw.Draw(sheet)
    row = rng.uniform(0.0, 0.2) * size * 2
    while row < size * 1.9:
        height = int(rng.uniform(0.05, 0.2) * size * 2)
        left = rng.uniform(0, 0.4) * size * 2
        if rng.random() < 0.7:
            font = ImageFont.load_default(size=max(height, 8))
            letters = "".join(rng.choice(list("ABCDEFGHIKLMNOPRSTUVXYZ0123456789 -."), int(rng.integers(3, 14))))
            draw.text((left, row), letters, fill=255, font=font)
        else:
            for bar in np.cumsum(rng.uniform(2, 9, 24)):
                draw.rectangle((left + bar, row, left + bar + rng.uniform(1, 5), row + height), fill=255)
        row += height * rng.uniform(1.1, 2.2)
    turned = sheet.rotate(float(rng.choice([0, 90, 180, 270]) + rng.normal(0, 4)), Image.Resampling.BILINEAR)
    rgb = blend(ground, ink, (np.asarray(turned.reduce(2), dtype=np.float32) / 255).astype(np.float32))
    noun = str(rng.choice(["label", "print", "package", "printed surface"]))
    return Scene(rgb, np.ones((size, size), dtype=bool), noun, "label", ground)


def _ground(rng: Rng, size: int) -> Picture:
    if rng.random() < 0.35:
        return np.tile(random_colour(rng, 0.0, 1.0), (size, size, 1)) + grain(rng, size)[..., None] * 0.006
    return MATERIALS[str(rng.choice(_CALM if rng.random() < 0.75 else list(MATERIALS)))](rng, size)


def _places(rng: Rng, size: int, count: int) -> list[tuple[float, float, float]]:
    """Row, column, radius in px of parts in a loose grid."""
    if count == 1:
        row, column = size * rng.uniform(0.42, 0.58, 2)
        return [(float(row), float(column), size * float(rng.uniform(0.28, 0.55)))]
    side = int(np.sqrt(count))
    pitch, jitter = size / side, rng.uniform(0, 0.08)
    radius = pitch * float(rng.uniform(0.28, 0.42))
    spots = [((r + 0.5 + rng.normal(0, jitter)) * pitch, (c + 0.5 + rng.normal(0, jitter)) * pitch)
             for r in range(side) for c in range(side)]  # fmt: skip
    return [(float(r), float(c), radius) for r, c in spots]


def _detailed(seed: int, skin: Picture, piece: Field, holes: bool) -> Picture:
    """The part's own features, the same on each: a groove along its rim, a bore in its middle."""
    rng = np.random.default_rng(seed)
    depth = ndimage.distance_transform_edt(piece > 0.5).astype(np.float32)
    most = float(depth.max()) + 1e-3
    rim = rng.uniform(0.1, 0.5)
    groove = np.exp(-((depth / most - rim) ** 2) / 0.003) * (rng.random() < 0.5)
    body = skin * (1 - rng.uniform(0.1, 0.4) * groove[..., None])
    bore = soft_step(depth / most - rng.uniform(0.6, 0.9), 0.05) * holes
    rounded = 0.7 + 0.3 * np.clip(depth / (most * rng.uniform(0.1, 0.7)), 0, 1) ** 0.5
    return blend(body, body * 0.3, bore) * rounded[..., None]


def _lay(rng: Rng, under: Picture, over: Picture, coverage: Field) -> Picture:
    """A thing laid on a ground, with the soft shadow that it throws."""
    offset = rng.uniform(-0.02, 0.02, 2) * under.shape[0]
    shadow = ndimage.gaussian_filter(ndimage.shift(coverage, offset, order=1), 2.0) * 0.35
    return blend(under * (1 - shadow[..., None]), over, coverage)


def _traces(rng: Rng, size: int) -> tuple[list[Points], list[float]]:
    paths, widths = [], []
    for _ in range(int(rng.integers(3, 9))):
        start, width = rng.uniform(0, size, 2), rng.uniform(0.8, 3.0)
        heading = rng.choice(8) * np.pi / 4
        points = [start]
        for _ in range(3):
            points.append(points[-1] + np.array([np.sin(heading), np.cos(heading)]) * rng.uniform(0.1, 0.6) * size)
            heading += rng.choice([-1, 1]) * np.pi / 4
        for lane in range(int(rng.integers(1, 5))):
            paths.append((np.array(points) + lane * width * 2.5).astype(np.float32))
            widths.append(float(width))
    return paths, widths


def _pads(rng: Rng, size: int) -> Field:
    rows, columns = grid(size)
    half, total = size / 2, np.zeros((size, size), dtype=np.float32)
    for _ in range(int(rng.integers(2, 7))):
        row, column = rng.uniform(-1, 1, 2)
        radius, pitch = rng.uniform(1.0, 3.0), rng.uniform(0.06, 0.12)
        for number in range(int(rng.integers(1, 8))):
            distance = np.hypot(rows - row, columns - column - number * pitch) * half
            total = np.maximum(total, soft_step(radius - distance, 0.7))
    return total


def _box(size: int, row: float, column: float, height: float, width: float) -> Field:
    corners = [[row - height / 2, column - width / 2], [row - height / 2, column + width / 2],
               [row + height / 2, column + width / 2], [row + height / 2, column - width / 2]]  # fmt: skip
    return filled(size, np.array(corners, dtype=np.float32))


def _comb(size: int, width: float) -> Field:
    columns = grid(size)[1] * (size / 2)
    return (np.sin(columns * (12 / max(width, 6.0)) * np.pi) > 0).astype(np.float32)


def clouded(rng: Rng, size: int) -> Field:
    """Multiplies a normal picture a little, broadly: wear, uneven dye, dust film."""
    return (1 + fractal(rng, size, 2, 2) * rng.uniform(0, 0.06)).astype(np.float32)
