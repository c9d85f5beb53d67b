"""Two versions on the same corrections: which images are fair, what differs most, and what is kept."""

import io

import numpy as np
import pytest
from PIL import Image

from db.images.predictions import prediction_by_version
from db.tables.core import PromptVersion
from db.training.prompt_versions import get_version, list_versions
from db.training.runs import get_run
from engine.detector.files import detector_to_bytes
from engine.detector.prompt_files import prompts_to_bytes
from engine.detector.prompts import random_prompts
from tests.conftest import Installation
from tests.engine.detector.making import random_detector
from tests.pictures import mask_png, png
from tests.workers.making import add, correct
from workers.errors import NotFound, TooFewCorrections
from workers.images.correcting import mark_anomalous, save_mask
from workers.images.intake import add_upload
from workers.projects.changes import make_project
from workers.scoring.engine_host import get_engine
from workers.training.comparing import compare_versions
from workers.training.promoting import import_prompts
from workers.training.runs import start_run
from workers.training.side_by_side import side_by_side
from workers.training.tuning_run import tune


@pytest.fixture
def versions(installation: Installation) -> tuple[PromptVersion, PromptVersion]:
    """The shipped version and an imported one."""
    data = prompts_to_bytes(random_prompts(get_engine().backbone, 1))
    imported = import_prompts(installation.store, installation.project_id, "other.safetensors", data)
    with installation.store.session(read_only=True) as session:
        return list_versions(session, installation.project_id)[-1], imported


def test_images_are_ranked_by_how_much_the_maps_differ_and_figures_are_those_of_each_version(
    installation: Installation, versions: tuple[PromptVersion, PromptVersion]
) -> None:
    correct(installation, 5)
    correct(installation, 3, normal=True, first_seed=5)
    first, second = versions
    found = compare_versions(installation.store, first.id, second.id)
    assert (found.first, found.second, found.images, found.learnt) == (1, 2, 8, False)
    differences = [one.difference for one in found.most_different]
    assert len(differences) == 6 and differences == sorted(differences, reverse=True) and differences[-1] > 0
    for one in found.most_different:
        assert (one.average_precision is None) == (one.label == "normal")
        with installation.store.session(read_only=True) as session:
            kept = [prediction_by_version(session, one.image_id, version.id) for version in versions]
        assert tuple(prediction.score for prediction in kept if prediction) == one.scores
    back = compare_versions(installation.store, second.id, first.id)
    assert back.metrics["active"] == found.metrics["candidate"]
    assert back.metrics["difference"]["pixel_ap"] == pytest.approx(-found.metrics["difference"]["pixel_ap"])


def test_versions_whose_maps_are_of_other_sizes_are_compared(
    installation: Installation, versions: tuple[PromptVersion, PromptVersion]
) -> None:
    """A refined map is finer than the prompts' own; images are lying, standing, and one is called anomalous alone."""
    store, project_id = installation.store, installation.project_id
    for number, (width, height) in enumerate(((240, 80), (80, 240), (90, 70))):
        image_id = add_upload(store, project_id, f"{number}.png", png(number, width=width, height=height)).image_id
        save_mask(store, image_id, mask_png(width, height, box=(10, 20, 40, 50)))
    correct(installation, 2, normal=True, first_seed=5)
    data = detector_to_bytes(random_detector(get_engine()))
    refined = import_prompts(store, project_id, "refined.safetensors", data)

    found = compare_versions(store, versions[0].id, refined.id)

    assert found.images == 5 and all(one.difference > 0 for one in found.most_different)
    assert all(0 <= found.metrics[side]["pixel_ap"] <= 1 for side in ("active", "candidate"))
    for one in found.most_different:
        assert Image.open(io.BytesIO(one.picture)).format == "JPEG"


def test_a_version_does_not_differ_from_itself(
    installation: Installation, versions: tuple[PromptVersion, PromptVersion]
) -> None:
    correct(installation, 2)
    found = compare_versions(installation.store, versions[0].id, versions[0].id)
    assert {one.difference for one in found.most_different} == {0.0}
    assert found.metrics["difference"]["pixel_auroc"] == 0


def test_images_that_a_version_learnt_from_are_left_out_where_enough_others_are_corrected(
    installation: Installation,
) -> None:
    store = installation.store
    correct(installation, 2)
    run_id = start_run(store, installation.project_id, trigger="manual", epochs=1)
    tune(store, get_engine(), run_id)
    with store.session(read_only=True) as session:
        tuned = get_version(session, get_run(session, run_id).candidate_version_id or 0)
    shipped = tuned.parent_id or 0
    found = compare_versions(store, shipped, tuned.id)
    assert (found.images, found.learnt) == (2, True)
    correct(installation, 2, first_seed=2)
    correct(installation, 1, normal=True, first_seed=4)
    found = compare_versions(store, shipped, tuned.id)
    assert (found.images, found.learnt) == (3, False)


def test_what_can_not_be_compared(installation: Installation, versions: tuple[PromptVersion, PromptVersion]) -> None:
    with pytest.raises(TooFewCorrections):
        compare_versions(installation.store, versions[0].id, versions[1].id)
    with pytest.raises(NotFound):
        compare_versions(installation.store, versions[0].id, 99)
    other = make_project(installation.store, "other", like=installation.project_id)
    with installation.store.session(read_only=True) as session:
        [elsewhere] = list_versions(session, other.id)
    with pytest.raises(NotFound, match="one project"):
        compare_versions(installation.store, versions[0].id, elsewhere.id)


def test_the_picture_shows_the_outline_of_the_mask_and_both_maps_on_one_scale() -> None:
    picture = Image.new("RGB", (300, 200), (90, 90, 90))
    mask = np.zeros((200, 300), dtype=np.uint8)
    mask[80:120, 100:160] = 1
    maps = [np.full((32, 32), value, dtype=np.float32) for value in (0.2, 0.8)]
    panels = np.asarray(Image.open(io.BytesIO(side_by_side(picture, mask, maps)))).astype(int)
    assert panels.shape == (200, 3 * 300 + 2 * 4, 3)
    assert panels[79, 130, 2] > 180 and abs(panels[100, 130] - 90).max() < 12
    assert panels[100, 450].sum() < 200 < 500 < panels[100, 760].sum()


def test_an_image_that_is_anomalous_nobody_said_where_is_compared_by_its_score_alone(
    installation: Installation, versions: tuple[PromptVersion, PromptVersion]
) -> None:
    correct(installation, 2, normal=True)
    marked = compare_versions(installation.store, versions[0].id, versions[1].id)
    assert marked.metrics["active"]["image_auroc"] is None
    image_id = add(installation, seed=9)
    mark_anomalous(installation.store, image_id)
    found = compare_versions(installation.store, versions[0].id, versions[1].id)
    assert found.metrics["active"]["pixel_ap"] is None and found.metrics["active"]["image_auroc"] is not None
    assert next(one for one in found.most_different if one.image_id == image_id).average_precision is None
