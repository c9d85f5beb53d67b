"""Surfaces seen from above: each function draws one material's normal look as (s, s, 3) RGB, about 0–1.

Some of it looks like dirt, scratches or holes and is none: a model has to learn what is unlike its surroundings.
"""

from collections.abc import Callable

import numpy as np

from engine.pretrain.drawing.fields import (
    Field,
    Rng,
    cell_values,
    cells,
    displaced,
    fractal,
    grain,
    lattice,
    rotated,
    soft_step,
    standard,
    unit,
)
from engine.pretrain.drawing.palette import Picture, blend, random_colour, shifted, tone
from engine.pretrain.drawing.shapes import strokes, walk


def _tinted(rng: Rng, pattern: Field, contrast: float, base: Picture | None = None) -> Picture:
    """A pattern of deviation 1 as brightness around one colour, its tint drifting a little with it."""
    colour = random_colour(rng) if base is None else base
    tint = 1 + rng.normal(0, 0.15, 3).astype(np.float32)
    return (colour + contrast * pattern[..., None] * tint * (0.4 + 0.6 * colour)).astype(np.float32)


def plastic(rng: Rng, size: int) -> Picture:
    """Even, with hardly any grain."""
    return _tinted(rng, grain(rng, size, rng.uniform(0, 1.5)), rng.uniform(0, 0.03))


def paint(rng: Rng, size: int) -> Picture:
    """The fine waves of a sprayed coat."""
    orange_peel = fractal(rng, size, int(rng.integers(8, 24)), 2)
    return _tinted(rng, orange_peel, rng.uniform(0.005, 0.04))


def stone(rng: Rng, size: int) -> Picture:
    """Cloudy at every scale."""
    pattern = fractal(rng, size, int(rng.integers(2, 12)), 5, rng.uniform(0.5, 0.9))
    return _tinted(rng, pattern, rng.uniform(0.03, 0.13))


def concrete(rng: Rng, size: int) -> Picture:
    """Grey clouds with small dark pores."""
    colour = tone(rng, (0.05, 0.15), (0, 0.15), (0.35, 0.8))
    pores = soft_step(grain(rng, size, rng.uniform(0.6, 1.4)) - rng.uniform(2.0, 2.8), 0.3)
    cloud = 0.6 * fractal(rng, size, 2, 4, 0.6) + 0.4 * grain(rng, size, 0.5)
    return _tinted(rng, cloud, rng.uniform(0.02, 0.08), colour) - rng.uniform(0.1, 0.4) * pores[..., None]


def asphalt(rng: Rng, size: int) -> Picture:
    """Coarse grey speckle."""
    colour = tone(rng, (0.05, 0.65), (0, 0.12), (0.2, 0.7))
    pebbles = 0.7 * grain(rng, size, rng.uniform(0.4, 1.3)) + 0.3 * grain(rng, size, rng.uniform(1.5, 3))
    cloud = fractal(rng, size, 2, 3) * rng.uniform(0, 0.6)
    return _tinted(rng, pebbles + cloud, rng.uniform(0.04, 0.15), colour)


def granite(rng: Rng, size: int) -> Picture:
    """Sharp little crystals of two colours."""
    _, owner = cells(rng, size, int(size * size / rng.uniform(6, 60)))
    kind = cell_values(rng, owner)
    first, second = random_colour(rng), random_colour(rng)
    return blend(first, second, soft_step(kind - rng.uniform(0.3, 0.7), rng.uniform(0.05, 0.5)))


def terrazzo(rng: Rng, size: int) -> Picture:
    """Round chips set in a ground."""
    distance, owner = cells(rng, size, int(rng.integers(20, 90)))
    radius = 2 + cell_values(rng, owner) * rng.uniform(4, 9) * size / 128
    chips = soft_step(radius - distance + 1.2 * grain(rng, size, 1.0), 1.0)
    shade = cell_values(rng, owner)
    return blend(random_colour(rng), blend(random_colour(rng), random_colour(rng), shade), chips)


def brushed_metal(rng: Rng, size: int) -> Picture:
    """Fine streaks in one direction."""
    long, short = rng.uniform(8, 40), rng.uniform(0.3, 1.0)
    streaks = grain(rng, size, (short, long) if rng.random() < 0.5 else (long, short))
    colour = tone(rng, (0.05, 0.65), (0, 0.15), (0.35, 0.85))
    return _tinted(rng, streaks, rng.uniform(0.02, 0.09), colour)


def rolled_metal(rng: Rng, size: int) -> Picture:
    """Soft clouds, stretched a little."""
    colour = tone(rng, (0.5, 0.7), (0, 0.12), (0.35, 0.85))
    cloud = grain(rng, size, (rng.uniform(1, 3), rng.uniform(3, 9))) + fractal(rng, size, 3, 3)
    return _tinted(rng, standard(cloud), rng.uniform(0.015, 0.07), colour)


def ground_metal(rng: Rng, size: int) -> Picture:
    """Turned or milled: fine rings around a centre that may lie outside."""
    rows, columns = rotated(size, 0.0)
    distance = np.hypot(rows - rng.uniform(-2, 2), columns - rng.uniform(-2, 2))
    table = rng.standard_normal(size * 2).astype(np.float32)
    rings = np.interp(distance * rng.uniform(0.15, 0.4) * size, np.arange(table.size), table).astype(np.float32)
    return _tinted(rng, rings, rng.uniform(0.02, 0.07), tone(rng, (0.05, 0.65), (0, 0.15), (0.4, 0.85)))


def fabric(rng: Rng, size: int) -> Picture:
    """Threads that cross."""
    rows, columns = rotated(size, rng.uniform(0, np.pi))
    wobble = lattice(rng, size, 5) * 0.02
    pitch = size * rng.uniform(0.08, 0.5)
    warp, weft = np.sin((rows + wobble) * pitch), np.sin((columns + wobble) * pitch * rng.uniform(0.8, 1.25))
    weave = np.maximum(warp, weft) if rng.random() < 0.5 else warp * weft
    pattern = standard(weave) + rng.uniform(0.1, 0.6) * grain(rng, size, 0.5)
    return _tinted(rng, standard(pattern), rng.uniform(0.03, 0.15))


def carpet(rng: Rng, size: int) -> Picture:
    """Coarse tufts."""
    tufts = grain(rng, size, rng.uniform(0.6, 1.8)) + 0.4 * fractal(rng, size, 4, 3)
    return _tinted(rng, standard(tufts), rng.uniform(0.06, 0.18))


def wood(rng: Rng, size: int) -> Picture:
    """Rings and fibres."""
    rows, _ = rotated(size, rng.choice([0, np.pi / 2]) + rng.normal(0, 0.1))
    rings = rows * rng.uniform(4, 20) + fractal(rng, size, 2, 3) * rng.uniform(0.3, 1.5)
    lines = np.abs(np.mod(rings, 1) * 2 - 1) ** rng.uniform(0.6, 2.5)
    fibre = grain(rng, size, (0.4, 7)) if abs(rows[0, 0] - rows[0, -1]) < 1 else grain(rng, size, (7, 0.4))
    colour = tone(rng, (0.04, 0.12), (0.2, 0.7), (0.3, 0.85))
    return _tinted(rng, standard(lines) + 0.5 * fibre, rng.uniform(0.02, 0.09), colour)


def leather(rng: Rng, size: int) -> Picture:
    """Small bumps with creases between."""
    distance, owner = cells(rng, size, int(size * size / rng.uniform(12, 60)))
    bumps = standard(distance) * -1 + 0.5 * standard(cell_values(rng, owner)) + 0.4 * grain(rng, size, 0.7)
    colour = tone(rng, (0.0, 0.12), (0.1, 0.8), (0.15, 0.75)) if rng.random() < 0.7 else random_colour(rng)
    return _tinted(rng, standard(bumps), rng.uniform(0.02, 0.1), colour)


def tiles(rng: Rng, size: int) -> Picture:
    """Tiles or bricks with joints."""
    turn = rng.normal(0, 0.05) + rng.choice([0, np.pi / 4])
    rows, columns = rotated(size, turn)
    pitch, aspect = rng.uniform(1.5, 7), rng.choice([1.0, 1.0, 2.0, 3.0])
    row_number = np.floor(rows * pitch * aspect / 2)
    shift = rng.choice([0.0, 0.5]) * np.mod(row_number, 2)
    across = np.abs(np.mod(columns * pitch / 2 + shift, 1) - 0.5)
    down = np.abs(np.mod(rows * pitch * aspect / 2, 1) - 0.5)
    joint = np.maximum(across, (down - 0.5) / aspect + 0.5)
    body = MATERIALS[rng.choice(["plastic", "stone", "paint", "concrete"])](rng, size)
    return blend(body, shifted(rng, body.mean((0, 1)), rng.uniform(0.1, 0.4)), soft_step(joint - 0.47, 0.02))


def grating(rng: Rng, size: int) -> Picture:
    """A mesh: bars over a darker or brighter ground."""
    rows, columns = rotated(size, rng.uniform(0, np.pi))
    pitch, duty = rng.uniform(8, 30), rng.uniform(-0.4, 0.5)
    first = np.sin(rows * pitch)
    second = np.sin(columns * pitch) if rng.random() < 0.7 else first
    bars = soft_step(np.maximum(first, second) - duty, 0.3)
    ground = random_colour(rng)
    return blend(ground, shifted(rng, ground, rng.uniform(0.15, 0.5)), bars) + _grit(rng, size)


def corrugated(rng: Rng, size: int) -> Picture:
    """Parallel ridges."""
    rows, _ = rotated(size, rng.uniform(0, np.pi))
    ridges = np.sin((rows + 0.02 * lattice(rng, size, 3)) * rng.uniform(8, 45))
    return _tinted(rng, ridges, rng.uniform(0.03, 0.2)) + _grit(rng, size)


def dotted(rng: Rng, size: int) -> Picture:
    """Perforated or printed with dots in a regular grid."""
    rows, columns = rotated(size, rng.uniform(0, np.pi))
    pitch = rng.uniform(8, 32)
    dots = soft_step(np.cos(rows * pitch) + np.cos(columns * pitch) - rng.uniform(0.2, 1.3), 0.3)
    ground = MATERIALS[rng.choice(["plastic", "paint", "rolled_metal"])](rng, size)
    return blend(ground, random_colour(rng), dots)


def foam(rng: Rng, size: int) -> Picture:
    """Pores side by side."""
    distance, _ = cells(rng, size, int(size * size / rng.uniform(15, 120)))
    pores = soft_step(distance - rng.uniform(1.0, 3.0), 1.5)
    return _tinted(rng, standard(pores) + 0.3 * grain(rng, size, 0.6), rng.uniform(0.03, 0.15))


def rust(rng: Rng, size: int) -> Picture:
    """Dirt everywhere is this surface's normal look."""
    clouds = soft_step(fractal(rng, size, int(rng.integers(4, 12)), 4, 0.7) - rng.uniform(-0.5, 1), 0.5)
    first = random_colour(rng)
    return blend(first, shifted(rng, first, rng.uniform(0.08, 0.3)), clouds) + _grit(rng, size)


def scuffed(rng: Rng, size: int) -> Picture:
    """Many faint scuffs in all directions: worn, and normal."""
    count = int(rng.integers(25, 70))
    ends = rng.uniform(0, size, (count, 2))
    paths = [walk(rng, (r, c), rng.uniform(0, 6.3), rng.uniform(8, size), 0.02) for r, c in ends]
    scuffs = strokes(size, paths, list(rng.uniform(0.3, 0.8, count)))
    body = paint(rng, size)
    return body + rng.choice([-1, 1]) * rng.uniform(0.03, 0.12) * scuffs[..., None]


def marble(rng: Rng, size: int) -> Picture:
    """Wandering veins."""
    warp = fractal(rng, size, 2, 4) * rng.uniform(2, 10)
    veins = 1 - np.abs(np.sin(rotated(size, rng.uniform(0, 3.1))[0] * rng.uniform(2, 6) + warp * 0.4))
    return _tinted(rng, standard(veins**3) + fractal(rng, size, 3, 4), rng.uniform(0.02, 0.08))


def paper(rng: Rng, size: int) -> Picture:
    """Pale, with fibres in all directions."""
    count = 60
    ends = rng.uniform(0, size, (count, 2))
    paths = [walk(rng, (r, c), rng.uniform(0, 6.3), rng.uniform(5, 16), 0.3) for r, c in ends]
    fibres = strokes(size, paths, [0.4] * count) if rng.random() < 0.6 else grain(rng, size, 1.0) * 0.2
    colour = tone(rng, (0.06, 0.14), (0, 0.5), (0.55, 0.95))
    sheet = _tinted(rng, grain(rng, size, 0.6), rng.uniform(0.01, 0.04), colour)
    return sheet - rng.uniform(0.03, 0.12) * fibres[..., None]


def gravel(rng: Rng, size: int) -> Picture:
    """Pebbles with dark gaps."""
    distance, owner = cells(rng, size, int(size * size / rng.uniform(40, 250)))
    body = blend(random_colour(rng), random_colour(rng), cell_values(rng, owner))
    rims = unit(-distance)
    return body * (0.45 + 0.55 * rims[..., None] ** 0.5) + _grit(rng, size)


def ceramic(rng: Rng, size: int) -> Picture:
    """A smooth glaze."""
    glaze = fractal(rng, size, 2, 2)
    return _tinted(rng, glaze, rng.uniform(0.005, 0.04), tone(rng, (0, 1), (0, 0.4), (0.6, 0.97)))


def hatched(rng: Rng, size: int) -> Picture:
    """A printed pattern, warped a little, as on fabric or wallpaper."""
    tile = int(rng.integers(12, 40))
    copies = size // tile + 1
    motif = np.tile(unit(lattice(rng, tile, int(rng.integers(3, 6)))), (copies, copies))[:size, :size]
    motif = displaced(motif.astype(np.float32), lattice(rng, size, 4) * 2, lattice(rng, size, 4) * 2)
    return blend(random_colour(rng), random_colour(rng), soft_step(motif - 0.5, rng.uniform(0.05, 0.4)))


def _grit(rng: Rng, size: int) -> Field:
    return (grain(rng, size, rng.uniform(0, 1)) * rng.uniform(0, 0.04))[..., None]


MATERIALS: dict[str, Callable[[Rng, int], Picture]] = {
    f.__name__: f
    for f in (
        plastic, paint, stone, concrete, asphalt, granite, terrazzo, brushed_metal, rolled_metal, ground_metal, fabric,
        carpet, wood, leather, tiles, grating, corrugated, dotted, foam, rust, scuffed, marble, paper, gravel, ceramic,
        hatched,
    )
}  # fmt: skip
