"""`from engine import Detector`: what a program gives, and what it gets."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine import Detector
from engine.detector.files import detector_to_bytes
from engine.errors import EngineError, ImageError, PromptError
from engine.evaluation.datasets.item import LabelledImage
from engine.images.depth import DepthRule
from engine.learning.corrected_files import read_correction
from engine.learning.fitting import Config, Unfit, learn
from engine.library import Result
from tests.engine.conftest import picture
from tests.tiny_backbone import write_tiny_backbone

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def detector(tiny_spec) -> Detector:
    return Detector.load(tiny_spec, device="cpu", precision="fp32")


def defect() -> np.ndarray:
    mask = np.zeros((70, 90), dtype=np.uint8)
    mask[10:30, 20:50] = 1
    return mask


def labelled(folder: Path) -> list[LabelledImage]:
    """Two normal images, two with a bright defect, and their masks, as files."""
    found = []
    for number in range(4):
        values, label = np.array(picture(number)), number % 2
        values[defect() * label > 0] = 250
        image, mask = folder / f"{number}.png", folder / f"{number}_mask.png"
        Image.fromarray(values).save(image)
        if label:
            Image.fromarray(255 * defect()).save(mask)
        found.append(LabelledImage(image, label, mask if label else None))
    return found


def test_a_path_a_pillow_image_and_an_array_are_the_same_image(detector, tmp_path):
    picture(1).save(tmp_path / "part.png")
    given = [str(tmp_path / "part.png"), tmp_path / "part.png", picture(1), np.array(picture(1))]
    results = [detector.score(one) for one in given]
    assert {one.score for one in results} == {results[0].score}
    assert all((one.anomaly_map == results[0].anomaly_map).all() for one in results)
    assert results[0].anomaly_map.shape == (70, 90) and results[0].anomaly_map.dtype == np.float32
    assert 0 <= results[0].score <= 1


def test_the_map_is_that_of_the_upright_image(detector):
    turned = picture(1)
    turned.getexif()[0x0112] = 6  # to be turned by 90°
    assert detector.score(turned).anomaly_map.shape == (90, 70)
    assert turned.size == (90, 70)


def test_sixteen_bits_are_stretched_as_in_files(detector, tmp_path):
    values = np.random.default_rng(0).integers(300, 4000, (70, 90), dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")
    assert detector.score(values).score == detector.score(tmp_path / "deep.png").score


def test_by_one_rule_exposures_compare_and_a_fit_keeps_it(detector, tmp_path):
    def deep(number: int, label: int) -> np.ndarray:
        values = np.asarray(picture(number).convert("L")).astype(np.uint16) * 64  # of 14 bits
        return np.where(defect() * label > 0, 16_000, values // 2).astype(np.uint16)

    bright, dark = deep(0, 1), deep(0, 1) // 4
    assert detector.score(bright).score == pytest.approx(detector.score(dark).score, abs=0.02), "each by itself"
    ruled = Detector(detector.engine, detector.version, depth=(0, 16383))
    as_seen = np.rint(dark / 16383 * 255).astype(np.uint8)
    assert ruled.score(dark).score == pytest.approx(detector.score(as_seen).score, abs=1e-6)
    Image.fromarray(dark).save(tmp_path / "dark.png")
    assert ruled.score(tmp_path / "dark.png").score == ruled.score(dark).score

    images, masks = [deep(number, number % 2) for number in range(6)], [defect() if n % 2 else None for n in range(6)]
    fitted = detector.fit(images, masks, epochs=1)
    assert (fitted.depth, detector.depth) == (DepthRule(0, 16383), None)
    fitted.save(tmp_path / "fitted.safetensors")
    again = Detector(fitted.engine, fitted.engine.load_detector((tmp_path / "fitted.safetensors").read_bytes()))
    assert again.depth == fitted.depth
    assert again.score(dark).score == pytest.approx(fitted.score(dark).score, abs=1e-3)
    with pytest.raises(ValueError, match="no range"):
        Detector(detector.engine, detector.version, depth=(5, 5))


def test_batches_say_what_single_images_do_in_their_order(detector):
    images = [picture(number, 90 + 30 * (number % 2)) for number in range(6)]
    together = list(detector.score_all(iter(images)))
    assert [one.anomaly_map.shape for one in together] == [(70, 90 + 30 * (number % 2)) for number in range(6)]
    assert [one.score for one in together] == pytest.approx([detector.score(one).score for one in images], abs=1e-5)


def test_tiles_see_more_of_a_large_image(detector):
    image = picture(0, 300, 200)
    tiled = detector.score(image, tile_side=100)
    assert tiled.anomaly_map.shape == (200, 300)
    assert not np.allclose(tiled.anomaly_map, detector.score(image).anomaly_map)
    with pytest.raises(EngineError, match="8 px or more"):
        detector.score(image, tile_side=7)


def test_regions_share_a_side_and_begin_with_the_highest():
    anomaly_map = np.zeros((6, 8), dtype=np.float32)
    anomaly_map[0:2, 0:3] = 0.6
    anomaly_map[2, 3] = 0.9  # touches the first by a corner
    anomaly_map[5, 7] = 0.4
    found = Result(0.5, anomaly_map)
    assert [region.box for region in found.regions()] == [(3, 2, 4, 3), (0, 0, 3, 2)]
    second = found.regions()[1]
    assert (second.box, second.area, second.peak) == ((0, 0, 3, 2), 6, pytest.approx(0.6))
    assert found.mask(0.4).sum() == 8 and len(found.regions(0.4)) == 3
    assert Result(0.5, anomaly_map).regions(0.95) == []


def test_a_fit_learns_what_the_product_learns(detector, tmp_path):
    images = labelled(tmp_path)
    fitted = detector.fit([one.image for one in images], [one.mask for one in images], epochs=2, seed=3)
    corrections = [read_correction(detector.engine, one) for one in images]
    ours = learn(detector.engine, detector.version, detector.version, corrections, Config(epochs=2, seed=3))
    assert detector_to_bytes(fitted.version) == detector_to_bytes(ours.detector)
    assert fitted.outcome is not None and fitted.outcome.decision == ours.decision
    assert detector.outcome is None and detector.version.parts == ("prompts",)


def test_masks_are_paths_pictures_or_arrays(detector, tmp_path):
    images = labelled(tmp_path)
    given = [None, defect() > 0, np.zeros((70, 90), dtype=np.uint8), Image.fromarray(255 * defect())]
    paths = [one.image for one in images]
    one, other = (detector.fit(paths, masks, epochs=1).version for masks in (given, [each.mask for each in images]))
    assert detector_to_bytes(one) == detector_to_bytes(other)


def test_an_image_may_be_anomalous_where_nobody_says(detector, tmp_path):
    images = labelled(tmp_path)
    stages = []
    fitted = detector.fit([one.image for one in images], [None, True, None, True], epochs=1, report=stages.append)
    assert "refiner" not in fitted.version.parts
    assert stages and stages[-1].share <= 1
    with pytest.raises(Unfit, match="Mark what is wrong on one image"):
        detector.fit([images[1].image], [True])


def test_a_second_fit_starts_where_the_first_one_did(detector, tmp_path):
    images = labelled(tmp_path)
    what = [one.image for one in images], [one.mask for one in images]
    first = detector.fit(*what, epochs=2)
    assert (first.fit(*what, epochs=2).version.prompts.normal_context == first.version.prompts.normal_context).all()


def test_what_was_saved_says_the_same_when_it_is_loaded(detector, tiny_spec, tmp_path):
    images = labelled(tmp_path)
    fitted = detector.fit([one.image for one in images], [one.mask for one in images], epochs=2)
    fitted.save(tmp_path / "line.safetensors")
    again = Detector.load(tiny_spec, tmp_path / "line.safetensors", device="cpu", precision="fp32")
    image = images[1].image
    assert again.score(image).score == pytest.approx(fitted.score(image).score, abs=1e-3)
    assert np.allclose(again.score(image).anomaly_map, fitted.score(image).anomaly_map, atol=1e-3)
    assert repr(again) == f"<Detector tiny: {' + '.join(fitted.version.parts)}; cpu, fp32>"


def test_features_of_a_fit_are_kept_where_a_cache_is_named(tiny_spec, tmp_path):
    images = labelled(tmp_path)
    kept = Detector.load(tiny_spec, device="cpu", precision="fp32", cache=tmp_path / "features")
    kept.fit([one.image for one in images], [one.mask for one in images], epochs=1)
    assert len(list((tmp_path / "features").rglob("*.safetensors"))) == 4


def test_what_can_not_be_used_says_why(detector, tiny_spec, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no image")
    with pytest.raises(ImageError, match=r"broken\.png: The file is not an image"):
        detector.score(tmp_path / "broken.png")
    with pytest.raises(FileNotFoundError):
        detector.score(tmp_path / "missing.png")
    with pytest.raises(ImageError, match=r"shape \(70, 90, 3\) and type float64"):
        detector.score(np.zeros((70, 90, 3)))
    with pytest.raises(ImageError, match=r"shape \(90, 70\) does not lie on an image of 70 rows"):
        detector.fit([picture(0)], [np.ones((90, 70))])
    with pytest.raises(ValueError, match="1 images and 0 masks"):
        detector.fit([picture(0)], [])
    with pytest.raises(ImageError, match="the limit is 100 pixels"):
        Detector.load(tiny_spec, max_pixels=100).score(picture(0))


def test_a_file_belongs_to_a_backbone_which_comes_first(detector, tmp_path):
    file = tmp_path / "line.safetensors"
    detector.save(file)
    with pytest.raises(EngineError, match=r"Detector\.load\('embedded', "):
        Detector.load(str(file))
    with pytest.raises(PromptError, match="mean nothing to other"):
        Detector.load(write_tiny_backbone(tmp_path, seed=1, name="other"), file)


def test_importing_the_engine_waits_for_no_torch():
    code = (
        "import sys, engine; assert 'torch' not in sys.modules; "
        "from engine import Detector; assert 'torch' in sys.modules; "
        "assert not hasattr(engine, 'Nothing')"
    )
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
