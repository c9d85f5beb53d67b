"""One drawn example: an image, what is wrong with each pixel, and the words for it."""

import copy
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image
from scipy import ndimage

from engine.pretrain.drawing.bodies import echo, scan, skin, tissue
from engine.pretrain.drawing.camera import Pixels, photograph
from engine.pretrain.drawing.defects import DEFECTS, MADE, damage
from engine.pretrain.drawing.fields import Rng
from engine.pretrain.drawing.flaws import recurring
from engine.pretrain.drawing.layouts import layout
from engine.pretrain.drawing.objects import board, clouded, label, parts, surface
from engine.pretrain.drawing.scene import Scene
from engine.pretrain.drawing.visibility import visible

_SCENES = {
    surface: 0.30,
    layout: 0.14,
    parts: 0.17,
    board: 0.06,
    label: 0.05,
    tissue: 0.14,
    skin: 0.05,
    scan: 0.05,
    echo: 0.04,
}
_NORMAL_SHARE = 0.4
_RECURRING_SHARE = 0.15
_SHOWN = 0.3  # least share of a defect that must still be seen in the photograph
# How much larger than asked for a scene is drawn, before a window of it is squeezed into the picture.
_REACHES = (1.0, 1.25, 1.5, 1.75)
_REACH_SHARES = (0.7, 0.1, 0.1, 0.1)


@dataclass(frozen=True)
class Sample:
    """Attributes:
    image: (s, s, 3) uint8.
    labels: (s, s) uint8, 0 where normal, else 1 + index in DEFECTS.
    noun, family: what it shows, as in Scene.
    defects: names of what is wrong and in view; empty for a normal image.
    """

    image: Pixels
    labels: Pixels
    noun: str
    family: str
    defects: tuple[str, ...]


def draw_sample(seed: int, index: int, size: int, without: frozenset[str] = frozenset()) -> Sample:
    """The drawn example number `index` of `seed` at `size` px; the same arguments give the same bytes.

    Numbers 2k and 2k + 1 show the same scene, often once whole and once damaged.
    """
    rng = np.random.default_rng([seed, index // 2, 0])
    reach = float(rng.choice(_REACHES, p=_REACH_SHARES))
    scene = draw_scene(rng, round(size * reach))
    sample = finish_sample(np.random.default_rng([seed, index, 1]), scene, without)
    return sample if reach == 1 else _squeezed(rng, sample, size)


def draw_scene(rng: Rng, size: int) -> Scene:
    """A random normal scene."""
    kinds = list(_SCENES)
    scene = kinds[int(rng.choice(len(kinds), p=list(_SCENES.values())))](rng, size)
    if scene.family in MADE and rng.random() < _RECURRING_SHARE:
        scene = recurring(rng, scene)
    if scene.dull or rng.random() < 0.5:
        return scene
    wear = clouded(rng, size)[..., None]
    return replace(scene, rgb=scene.rgb * wear, background=scene.background * wear)


def finish_sample(rng: Rng, scene: Scene, without: frozenset[str] = frozenset()) -> Sample:
    """Damage a scene (or leave it whole) and photograph it."""
    damaged = scene
    labels = np.zeros((scene.size, scene.size), dtype=np.uint8)
    for _ in range(0 if rng.random() < _NORMAL_SHARE else int(rng.choice([1, 1, 1, 2, 3]))):
        change = damage(rng, damaged, without)
        if change is None:
            continue
        rgb, mask, index = change
        damaged = replace(damaged, rgb=rgb)
        labels[mask] = 1 + index
    same_camera = copy.deepcopy(rng)
    image, labels = photograph(rng, scene, damaged.rgb, labels)
    if labels.any():
        whole, _ = photograph(same_camera, scene, scene.rgb, labels)
        labels = seen_labels(whole, image, labels)
    found = np.bincount(labels.ravel(), minlength=len(DEFECTS) + 1)[1:]
    labels = np.where(np.isin(labels, 1 + np.flatnonzero(found >= 4)), labels, 0).astype(np.uint8)
    names = tuple(DEFECTS[i].name for i in np.flatnonzero(found >= 4))
    return Sample(np.ascontiguousarray(image), labels, scene.noun, scene.family, names)


def seen_labels(whole: Pixels, image: Pixels, labels: Pixels) -> Pixels:
    """The labels (s, s) without the defects that light and camera have hidden.

    `whole` and `image`, (s, s, 3) uint8, are photographs of the scene before and after the damage, by the same camera.
    """
    shown = visible(whole.astype(np.float32) / 255, image.astype(np.float32) / 255)
    hidden = [i for i in np.unique(labels) if i and shown[labels == i].mean() < _SHOWN]
    return np.where(np.isin(labels, hidden), 0, labels).astype(np.uint8)


def _squeezed(rng: Rng, sample: Sample, size: int) -> Sample:
    """A window of the sample as (size, size), its sides shrunk each by another factor: finer lines, other proportions.

    It is what a model sees of a large or oblong photograph.
    """
    drawn = sample.image.shape[0]
    height, width = (int(side) for side in rng.integers(size, drawn + 1, 2))
    top, left = int(rng.integers(drawn - height + 1)), int(rng.integers(drawn - width + 1))
    box = (left, top, left + width, top + height)
    image = Image.fromarray(sample.image).resize((size, size), Image.Resampling.BILINEAR, box)
    # A line that is thinner than a pixel afterwards must not fall between the pixels that are kept.
    widened = ndimage.maximum_filter(sample.labels, 2)
    labels = np.asarray(Image.fromarray(widened).resize((size, size), Image.Resampling.NEAREST, box))
    names = tuple(DEFECTS[i - 1].name for i in np.unique(labels) if i)
    return replace(sample, image=np.asarray(image), labels=labels, defects=names)
