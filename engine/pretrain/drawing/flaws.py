"""Flaws without a name: any outline filled with any change, so that no list of kinds can be learnt by heart.

The same things, many times over a picture, are its normal texture: what makes a flaw is that it stands alone.
"""

from dataclasses import replace

import numpy as np

from engine.pretrain.drawing.changes import CHANGES
from engine.pretrain.drawing.fields import Field, Rng
from engine.pretrain.drawing.marks import Change, spread
from engine.pretrain.drawing.outlines import OUTLINES, Outline, Place
from engine.pretrain.drawing.palette import Picture, blend
from engine.pretrain.drawing.scene import Scene

_LOWEST, _HIGHEST = 0.012, 0.3


def flaw(rng: Rng, scene: Scene) -> Change:
    """One place that differs from the rest of the picture."""
    place, extent = scene.somewhere(rng), spread(rng, _LOWEST, _HIGHEST) * scene.size
    coverage = _any_outline(rng, scene, place, extent)
    if scene.family == "parts":  # what lies on the ground beside a part is no flaw of the part
        coverage = coverage * scene.region
    return _changed(rng, scene, coverage), coverage


def recurring(rng: Rng, scene: Scene) -> Scene:
    """The scene with one sort of outline and one change repeated all over it, still normal."""
    outline, count = _pick(rng, OUTLINES), int(rng.integers(8, 30))
    extent = spread(rng, _LOWEST, 0.4 / np.sqrt(count)) * scene.size
    total, alike = np.zeros((scene.size, scene.size), dtype=np.float32), int(rng.integers(2**31))
    identical = rng.random() < 0.5
    for place in rng.uniform(0, scene.size, (count, 2)):
        own = np.random.default_rng(alike) if identical else rng
        total = np.maximum(total, outline(own, scene, (float(place[0]), float(place[1])), extent))
    return replace(scene, rgb=_changed(rng, scene, total))


def _any_outline(rng: Rng, scene: Scene, place: Place, extent: float) -> Field:
    """One outline, or two joined, cut out of each other, or crossed."""
    first = _pick(rng, OUTLINES)(rng, scene, place, extent)
    way = rng.random()
    if way > 0.35:
        return first
    near = (place[0] + rng.normal(0, extent * 0.5), place[1] + rng.normal(0, extent * 0.5))
    second = _pick(rng, OUTLINES)(rng, scene, near, extent * rng.uniform(0.4, 1.2))
    if way < 0.15:
        return np.maximum(first, second)
    return first * (1 - second) if way < 0.28 else first * second


def _changed(rng: Rng, scene: Scene, coverage: Field) -> Picture:
    """One change within the outline, now and then a second one on top, mostly opaque."""
    rgb = blend(scene.rgb, _pick_change(rng, scene, coverage), coverage * rng.choice([1.0, 1.0, rng.uniform(0.4, 1.0)]))
    if rng.random() < 0.3:
        rgb = blend(rgb, _pick_change(rng, replace(scene, rgb=rgb), coverage), coverage)
    return np.clip(rgb, 0, 1.2).astype(np.float32)


def _pick_change(rng: Rng, scene: Scene, coverage: Field) -> Picture:
    return CHANGES[int(rng.integers(len(CHANGES)))](rng, scene, coverage).astype(np.float32)


def _pick(rng: Rng, outlines: tuple[Outline, ...]) -> Outline:
    return outlines[int(rng.integers(len(outlines)))]
