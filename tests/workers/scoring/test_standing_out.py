"""First verdicts: what stands out is anomalous, the rest is not judged yet, and either ends once something is known."""

import io

import pytest

from db.images.filters import ImageFilter
from db.images.pages import list_images
from db.images.predictions import active_prediction
from db.images.verdicts import criterion, verdict
from db.projects.projects import update_settings
from db.training.prompt_versions import activate
from db.webhooks.messages import add_webhook, list_messages
from engine.detector.detector import Detector
from engine.detector.files import detector_to_bytes
from tests.conftest import Installation
from tests.engine.detector.making import random_detector
from tests.engine.learning.making import drawn
from tests.workers.making import activate_copy
from workers.images.correcting import accept
from workers.images.intake import add_upload
from workers.scoring.engine_host import get_engine
from workers.scoring.scorer import score_images
from workers.training.promoting import import_prompts

MARKED = [number % 5 == 4 for number in range(20)]


def add_parts(installation: Installation, marked: list[bool], first_seed: int = 0) -> list[int]:
    """Noisy parts, some with a bright bar, scored in two calls."""
    ids = []
    for seed, one in enumerate(marked, start=first_seed):
        data = io.BytesIO()
        drawn(seed, marked=one)[0].save(data, "PNG")
        ids.append(add_upload(installation.store, installation.project_id, f"{seed}.png", data.getvalue()).image_id)
    half = len(ids) // 2
    for some in (ids[:half], ids[half:]):
        score_images(installation.store, some)
    return ids


def verdicts(installation: Installation, ids: list[int]) -> list[str | None]:
    with installation.store.session(read_only=True) as session:
        found = [active_prediction(session, image_id) for image_id in ids]
        return [verdict(one, criterion(session, one.prompt_version_id)) for one in found if one is not None]


def filtered(installation: Installation, wanted: str) -> set[int]:
    with installation.store.session(read_only=True) as session:
        rows = list_images(session, installation.project_id, wanted=ImageFilter(verdict=wanted), limit=100).items
        return {row.image.id for row in rows}


def test_what_stands_out_is_anomalous_and_the_rest_is_not_judged_yet(installation: Installation) -> None:
    ids = add_parts(installation, MARKED)
    said = verdicts(installation, ids)
    assert {one for one, marked in zip(said, MARKED, strict=True) if marked} == {"anomalous"}
    assert set(said) == {"anomalous", None} and said.count(None) >= 14
    assert filtered(installation, "anomalous") == {one for one, what in zip(ids, said, strict=True) if what}
    assert filtered(installation, "normal") == set()


def test_images_that_come_later_are_held_against_those(installation: Installation) -> None:
    add_parts(installation, MARKED)
    later = add_parts(installation, [False, True], first_seed=50)
    assert verdicts(installation, later) == [None, "anomalous"]


def test_a_few_images_are_not_judged_yet(installation: Installation) -> None:
    webhook = listening(installation)
    ids = add_parts(installation, MARKED[:7])
    assert set(verdicts(installation, ids)) == {None} and told_of(installation, webhook) == []
    assert filtered(installation, "anomalous") == filtered(installation, "normal") == set()
    assert accept(installation.store, ids[4]).label == "normal"
    later = add_parts(installation, MARKED[7:], first_seed=7)
    assert verdicts(installation, ids + later).count("anomalous") >= 4


def test_who_listens_is_told_of_what_stands_out_once_and_of_nothing_else(installation: Installation) -> None:
    webhook = listening(installation)
    ids = add_parts(installation, MARKED)
    anomalous = [one for one, said in zip(ids, verdicts(installation, ids), strict=True) if said]
    assert sorted(told_of(installation, webhook)) == anomalous and anomalous
    [later] = add_parts(installation, [True], first_seed=50)
    score_images(installation.store, ids)
    assert sorted(told_of(installation, webhook)) == [*anomalous, later]
    with installation.store.session(read_only=True) as session:
        assert list_messages(session, webhook)[0].body["threshold"] is None
    activate_copy(installation)
    score_images(installation.store, ids)
    assert sorted(told_of(installation, webhook)) == [*anomalous, later], "another version says it again"


def listening(installation: Installation) -> int:
    with installation.store.session() as session:
        return add_webhook(session, project_id=None, url="http://hooks.example/", events=["image.anomalous"]).id


def told_of(installation: Installation, webhook: int) -> list[int]:
    with installation.store.session(read_only=True) as session:
        return [one.body["image_id"] for one in list_messages(session, webhook)]


@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_a_persons_threshold_ends_it(installation: Installation, threshold: float) -> None:
    ids = add_parts(installation, MARKED)
    with installation.store.session() as session:
        update_settings(session, installation.project_id, {"threshold": threshold})
    expected = "anomalous" if threshold == 0 else "normal"
    assert set(verdicts(installation, ids)) == {expected}
    assert filtered(installation, expected) == set(ids)
    later = add_parts(installation, [True, True], first_seed=50)
    assert set(verdicts(installation, later)) == {expected}


def test_a_runs_version_ends_it(installation: Installation) -> None:
    ids = add_parts(installation, MARKED)
    activate_copy(installation)
    score_images(installation.store, ids)
    assert None not in verdicts(installation, ids)


def test_an_imported_detector_that_learnt_more_than_prompts_ends_it(installation: Installation) -> None:
    ids = add_parts(installation, MARKED)
    activate_imported(installation, random_detector(get_engine()))
    score_images(installation.store, ids)
    assert None not in verdicts(installation, ids)


def test_imported_prompts_tell_images_apart_no_better(installation: Installation) -> None:
    ids = add_parts(installation, MARKED)
    activate_imported(installation, random_detector(get_engine()).prompts_alone())
    score_images(installation.store, ids)
    assert None in verdicts(installation, ids)


def activate_imported(installation: Installation, detector: Detector) -> None:
    store, data = installation.store, detector_to_bytes(detector)
    version = import_prompts(store, installation.project_id, "other.safetensors", data)
    with store.session() as session:
        activate(session, version.id)


def test_accepting_one_that_is_not_judged_calls_it_normal(installation: Installation) -> None:
    ids = add_parts(installation, MARKED)
    assert accept(installation.store, ids[0]).label == "normal"
    with installation.store.session() as session:
        update_settings(session, installation.project_id, {"map_threshold": 0.01})
    assert accept(installation.store, ids[4]).label == "anomalous"
