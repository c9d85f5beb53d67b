"""The kinds of defect by name, and where each can happen."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.pretrain.drawing import flaws, lesions, marks, pieces
from engine.pretrain.drawing.fields import Bits, Rng
from engine.pretrain.drawing.marks import Change
from engine.pretrain.drawing.palette import Picture
from engine.pretrain.drawing.scene import Scene
from engine.pretrain.drawing.visibility import visible

MADE = ("surface", "parts", "board", "label")
BODIES = ("tissue", "skin", "scan", "echo")
_ATTEMPTS = 4
_COVERED = 0.35
_SMALLEST = 5


@dataclass(frozen=True)
class Defect:
    """One kind: what captions call it, how often it comes, and in which families of scenes."""

    name: str
    draw: Callable[[Rng, Scene], Change | None]
    families: tuple[str, ...]
    weight: float = 1.0


DEFECTS: tuple[Defect, ...] = (
    Defect("scratch", marks.scratch, MADE, 1.7),
    Defect("crack", marks.crack, MADE, 2.6),
    Defect("spot", marks.spots, (*MADE, "tissue"), 1.0),
    Defect("stain", marks.stain, MADE, 1.2),
    Defect("discoloration", marks.discoloured, MADE, 0.8),
    Defect("dent", marks.dent, MADE, 0.9),
    Defect("hole", marks.hole, MADE, 0.9),
    Defect("contamination", marks.foreign, (*MADE, "tissue"), 0.9),
    Defect("thread", marks.fibre, MADE, 0.6),
    Defect("rough patch", marks.smear, MADE, 0.9),
    Defect("streak", marks.streak, MADE, 0.6),
    Defect("missing part", pieces.missing, ("parts", "board"), 1.5),
    Defect("extra part", pieces.extra, ("parts", "board"), 1.0),
    Defect("misplaced part", pieces.displaced_piece, ("parts", "board"), 1.2),
    Defect("cut", pieces.swapped, ("surface", "label", "board"), 0.6),
    Defect("bend", pieces.bent, MADE, 0.7),
    Defect("chip", pieces.chipped, ("parts",), 2.0),
    Defect("polyp", lesions.polyp, ("tissue",), 7.0),
    Defect("bleeding", lesions.bleeding, ("tissue", "skin"), 1.0),
    Defect("ulcer", lesions.pale_patch, ("tissue", "skin"), 1.0),
    Defect("lesion", lesions.mole, ("skin",), 5.0),
    Defect("mass", lesions.mass, ("scan", "echo"), 3.0),
    Defect("lump", lesions.lump, (*MADE, "tissue", "skin"), 0.7),
    Defect("flaw", flaws.flaw, (*MADE, *BODIES), 8.0),
)
# A flaw can look like any named kind, so that nothing is to be learnt from what it is called.
UNNAMED = len(DEFECTS) - 1


def damage(rng: Rng, scene: Scene, without: frozenset[str] = frozenset()) -> tuple[Picture, Bits, int] | None:
    """The scene's picture with one defect, where its pixels changed, and the defect's index in DEFECTS.

    None where several tries made nothing that can be seen; `without` names kinds that are left out.
    """
    fitting = [i for i, d in enumerate(DEFECTS) if scene.family in d.families and d.name not in without]
    if not fitting or not scene.region.any():
        return None
    weights = np.array([DEFECTS[i].weight for i in fitting])
    for _ in range(_ATTEMPTS):
        index = int(rng.choice(fitting, p=weights / weights.sum()))
        change = DEFECTS[index].draw(rng, scene)
        if change is None:
            continue
        rgb, coverage = change
        mask = coverage > _COVERED
        seen = mask & visible(scene.rgb, rgb)
        if seen.sum() >= _SMALLEST and seen.sum() > 0.4 * mask.sum() and mask.mean() < 0.6:
            return rgb, mask, index
    return None
