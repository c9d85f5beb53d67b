"""Changes of every sort: how a picture may look different within an outline. Each returns the whole picture changed."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from engine.pretrain.drawing.fields import Field, Rng, displaced, grain, lattice, rotated, soft_step, standard
from engine.pretrain.drawing.marks import spread
from engine.pretrain.drawing.materials import MATERIALS
from engine.pretrain.drawing.palette import random_colour
from engine.pretrain.drawing.scene import Scene

Changed = npt.NDArray[np.floating]
Alter = Callable[[Rng, Scene, Field], Changed]


def toned(rng: Rng, scene: Scene, _: Field) -> Changed:
    """Brighter or darker by the same everywhere, with or without a tint."""
    return scene.rgb + _strength(rng, scene) * (1 + rng.normal(0, rng.choice([0.05, 0.5]), 3))


def multiplied(rng: Rng, scene: Scene, _: Field) -> Changed:
    """Each channel multiplied: a wet, burnt, bleached or dyed place."""
    return scene.rgb * np.exp(rng.choice([-1, 1]) * rng.uniform(0.15, 0.9) + rng.normal(0, 0.15, 3))


def coloured(rng: Rng, scene: Scene, _: Field) -> Changed:
    """One colour over it, opaque or glazed."""
    share = rng.uniform(0.3, 1.0)
    return scene.rgb * (1 - share) + random_colour(rng, 0.0, 1.0) * share


def shaded(rng: Rng, scene: Scene, _: Field) -> Changed:
    """A run from one tone to another over it."""
    run = standard(rotated(scene.size, rng.uniform(0, 6.3))[0]) * rng.uniform(0.2, 0.6) * 3
    return scene.rgb * rng.uniform(0, 0.8) + random_colour(rng) * (0.6 + run[..., None])


def replaced(rng: Rng, scene: Scene, _: Field) -> Changed:
    """Another material."""
    return MATERIALS[str(rng.choice(list(MATERIALS)))](rng, scene.size)


def moved(rng: Rng, scene: Scene, _: Field) -> Changed:
    """The picture itself from elsewhere, turned or mirrored."""
    turned = np.rot90(scene.rgb, int(rng.integers(4)))
    turned = turned[:, ::-1] if rng.random() < 0.5 else turned
    return np.roll(turned, tuple(int(n) for n in rng.integers(0, scene.size, 2)), axis=(0, 1))


def flattened(rng: Rng, scene: Scene, _: Field) -> Changed:
    """The texture gone or smeared: rubbed, melted, painted over."""
    blurred = ndimage.gaussian_filter(scene.rgb, (*rng.uniform(0.8, 8.0, 2), 0), mode="mirror")
    return blurred + _strength(rng, scene) * rng.uniform(0, 0.5)


def sharpened(rng: Rng, scene: Scene, _: Field) -> Changed:
    """More contrast, or less, or inverted, around the mean nearby."""
    middle = ndimage.gaussian_filter(scene.rgb, (4, 4, 0), mode="mirror")
    return middle + (scene.rgb - middle) * rng.choice([-1.0, 0.2, 2.0, 3.0]) + rng.normal(0, 0.03)


def roughened(rng: Rng, scene: Scene, _: Field) -> Changed:
    """Noise, fine or coarse, even or along one direction."""
    noise = grain(rng, scene.size, tuple(rng.uniform(0.0, 3.0, 2)))
    return scene.rgb + noise[..., None] * np.abs(_strength(rng, scene)) * (1 + rng.normal(0, 0.3, 3))


def warped(rng: Rng, scene: Scene, _: Field) -> Changed:
    """Pushed, pulled and folded."""
    push, knots = rng.uniform(2, 10) * scene.size / 128, int(rng.integers(4, 12))
    field = displaced(scene.rgb, lattice(rng, scene.size, knots) * push, lattice(rng, scene.size, knots) * push)
    return field * np.exp(rng.normal(0, 0.08))


def raised(rng: Rng, scene: Scene, coverage: Field) -> Changed:
    """As if the outline stood out or sank in: lit from one side, in shade on the other."""
    height = ndimage.gaussian_filter(coverage, rng.uniform(0.7, 4.0))
    down, right = np.gradient(height)
    light = rng.uniform(0, 2 * np.pi)
    slope = down * np.sin(light) + right * np.cos(light)
    slope = slope / (np.abs(slope).max() + 1e-6)
    return scene.rgb + (slope * np.abs(_strength(rng, scene)) * 1.5 + height * rng.normal(0, 0.05))[..., None]


def patterned(rng: Rng, scene: Scene, _: Field) -> Changed:
    """Stripes or checks over it."""
    rows, columns = rotated(scene.size, rng.uniform(0, np.pi))
    waves = rng.uniform(8, 40)
    stripes = np.sin(rows * waves) * (np.sin(columns * waves) if rng.random() < 0.4 else 1)
    return scene.rgb + soft_step(stripes, rng.uniform(0.1, 1.0))[..., None] * _strength(rng, scene)


def discolouring(rng: Rng, scene: Scene, _: Field) -> Changed:
    """Channels exchanged, or colour lost, or bleached towards white or black."""
    way = rng.integers(3)
    if way == 0:
        return scene.rgb[..., rng.permutation(3)] + _strength(rng, scene) * 0.3
    if way == 1:
        return np.repeat(scene.rgb.mean(axis=2, keepdims=True), 3, axis=2) + _strength(rng, scene) * 0.4
    share = rng.uniform(0.3, 0.8)
    return scene.rgb * (1 - share) + share * float(rng.integers(2))


def _strength(rng: Rng, scene: Scene) -> float:
    """A difference of brightness, either way; larger where the picture itself varies."""
    size = spread(rng, 0.06, 0.5) + rng.uniform(0.2, 1.2) * float(scene.rgb.std())
    return size * rng.choice([-1, 1])


CHANGES: tuple[Alter, ...] = (
    toned, toned, multiplied, coloured, shaded, replaced, moved, flattened, sharpened, roughened, warped, raised,
    raised, patterned, discolouring,
)  # fmt: skip
