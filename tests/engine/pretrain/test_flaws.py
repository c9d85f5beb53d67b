"""Flaws without a name: any outline with any change, where an eye sees it; and normal pictures full of such things."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from engine.pretrain.drawing.changes import CHANGES, Alter
from engine.pretrain.drawing.defects import DEFECTS, UNNAMED
from engine.pretrain.drawing.flaws import flaw, recurring
from engine.pretrain.drawing.layouts import layout
from engine.pretrain.drawing.materials import MATERIALS
from engine.pretrain.drawing.outlines import OUTLINES, Outline
from engine.pretrain.drawing.sample import seen_labels
from engine.pretrain.drawing.scene import Scene
from engine.pretrain.drawing.visibility import visible
from engine.pretrain.losses import patch_targets

SIZE = 96


def _name(function: Callable[..., object]) -> str:
    return function.__name__


def _scene(seed: int, material: str = "leather") -> Scene:
    rgb = np.clip(MATERIALS[material](np.random.default_rng(seed), SIZE), 0, 1)
    return Scene(rgb, np.ones((SIZE, SIZE), dtype=bool), material, "surface", rgb)


@pytest.mark.parametrize("outline", OUTLINES, ids=_name)
def test_an_outline_lies_around_its_place_and_grows_with_its_extent(outline: Outline) -> None:
    scene, place = _scene(0), (40.0, 56.0)
    covered = {}
    for extent in (4.0, 16.0):
        coverages = [outline(np.random.default_rng(seed), scene, place, extent) for seed in range(30)]
        for coverage in coverages:
            assert coverage.shape == (SIZE, SIZE)
            assert coverage.min() >= 0 and coverage.max() <= 1
        covered[extent] = np.mean(coverages)
        rows, columns = np.nonzero(np.mean(coverages, axis=0) > 0)
        assert np.hypot(rows.mean() - place[0], columns.mean() - place[1]) < 20
    assert 0 < covered[4.0] < covered[16.0] < 0.5


@pytest.mark.parametrize("change", sorted(set(CHANGES), key=_name), ids=_name)
def test_a_change_can_be_seen_on_most_grounds(change: Alter) -> None:
    coverage = np.zeros((SIZE, SIZE), dtype=np.float32)
    coverage[20:70, 20:70] = 1
    seen = []
    for seed in range(20):
        scene = _scene(seed, ("leather", "wood", "brushed_metal", "fabric")[seed % 4])
        after = change(np.random.default_rng(seed), scene, coverage)
        assert after.shape == scene.rgb.shape and np.isfinite(after).all()
        seen.append(visible(scene.rgb, after.astype(np.float32)).any())
    assert np.mean(seen) > 0.6


def test_a_flaw_changes_the_picture_only_where_it_lies() -> None:
    for seed in range(60):
        scene = _scene(seed, "wood")
        rgb, coverage = flaw(np.random.default_rng(seed), scene)
        untouched = coverage == 0
        assert np.abs(rgb - scene.rgb)[untouched].max(initial=0) < 1e-5


def test_two_flaws_hardly_ever_look_alike() -> None:
    scene = _scene(1, "ceramic")
    masks = [(flaw(np.random.default_rng(seed), scene)[1] > 0.35).ravel() for seed in range(40)]
    alike = [(a & b).sum() / max((a | b).sum(), 1) for i, a in enumerate(masks) for b in masks[:i]]
    assert np.mean(np.array(alike) > 0.7) < 0.02


def test_things_that_recur_leave_a_scene_normal_and_are_spread_over_it() -> None:
    quarters_touched = []
    for seed in range(20):
        scene = _scene(seed)
        busy = recurring(np.random.default_rng(seed), scene)
        changed = np.abs(busy.rgb - scene.rgb).max(axis=2) > 0.02
        half = SIZE // 2
        quarters = [changed[r : r + half, c : c + half].any() for r in (0, half) for c in (0, half)]
        quarters_touched.append(sum(quarters))
        assert busy.noun == scene.noun and busy.family == scene.family
    assert np.mean(quarters_touched) > 3


def test_a_layout_has_areas_and_is_normal_all_over() -> None:
    for seed in range(20):
        scene = layout(np.random.default_rng(seed), SIZE)
        assert scene.rgb.shape == (SIZE, SIZE, 3) and scene.region.all()
        assert scene.rgb.min() >= 0 and scene.rgb.max() <= 1


def test_what_differs_less_than_its_ground_varies_is_not_seen() -> None:
    rng = np.random.default_rng(0)
    calm = np.full((SIZE, SIZE, 3), 0.5, dtype=np.float32)
    busy = calm + rng.normal(0, 0.2, (SIZE, SIZE, 1)).astype(np.float32)
    mark = np.zeros((SIZE, SIZE, 3), dtype=np.float32)
    mark[40:56, 40:56] = 0.06
    inside = mark[..., 0] > 0
    assert visible(calm, calm + mark)[inside].all()
    assert not visible(busy, busy + mark)[inside].any()
    assert not visible(calm, calm).any()


def test_a_rough_place_is_seen_although_its_tone_is_that_of_the_ground() -> None:
    calm = np.full((SIZE, SIZE, 3), 0.5, dtype=np.float32)
    checks = calm.copy()
    checks[40:56, 40:56] += 0.1 * (np.indices((16, 16)).sum(axis=0) % 2 * 2 - 1)[..., None]
    assert visible(calm, checks)[44:52, 44:52].all()


def test_what_the_camera_hides_has_no_label() -> None:
    whole = np.full((SIZE, SIZE, 3), 120, dtype=np.uint8)
    labels = np.zeros((SIZE, SIZE), dtype=np.uint8)
    labels[10:20, 10:20], labels[50:70, 50:70] = 3, 7
    image = whole.copy()
    image[10:20, 10:20] = 160  # the first defect shows, the second was overexposed
    kept = seen_labels(whole, image, labels)
    assert np.array_equal(kept, np.where(labels == 3, 3, 0))


def test_nothing_is_learnt_from_what_a_flaw_is_called() -> None:
    labels = torch.zeros(1, 32, 32, dtype=torch.uint8)
    labels[0, 8:16, 8:16] = 1 + UNNAMED
    labels[0, 16:24, 16:24] = 1
    target, _, kinds = patch_targets(labels, 8)
    assert DEFECTS[UNNAMED].name == "flaw"
    assert target.view(4, 4)[1, 1] == 1 and kinds.view(4, 4)[1, 1] == -100
    assert kinds.view(4, 4)[2, 2] == 0
