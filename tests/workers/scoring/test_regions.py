"""The rule on regions: the same verdict wherever it is told, kept when scored, and brought along when it changes."""

import csv
import io
import zipfile
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select, update

from db.images.filters import ImageFilter
from db.images.pages import count_images, list_images
from db.images.predictions import active_prediction
from db.images.verdicts import criterion, verdict
from db.store import Store
from db.tables.core import Prediction
from db.training.prompt_versions import activate
from db.webhooks.messages import add_webhook, list_messages
from engine.detector.maps import map_to_npy
from engine.detector.regions import find_regions, region_areas
from tests.conftest import Installation
from tests.workers.making import activate_copy, add, score_all
from workers.exchange.exporting import export_zip
from workers.projects.changes import change_project
from workers.scoring.regions import judge_anew
from workers.thresholds.rule_trial import try_rule

WIDTH, HEIGHT = 90, 70


def set_rule(installation: Installation, **settings: Any) -> None:
    change_project(installation.store, installation.project_id, settings=settings)


def by_regions(**rule: Any) -> dict[str, Any]:
    return {"verdict_rule": {"kind": "regions", **rule}}


def square_map(*sides: int) -> np.ndarray:
    """A map with a square of each of these sides in px, at 0.9, side by side."""
    whole, left = np.zeros((HEIGHT, WIDTH), np.float32), 1
    for side in sides:
        whole[1 : 1 + side, left : left + side] = 0.9
        left += side + 2
    return whole


def add_with_map(installation: Installation, anomaly_map: np.ndarray, *, seed: int) -> int:
    """A scored image whose prediction has this map, as if the version had said so before any rule was there."""
    image_id = add(installation, seed=seed)
    score_all(installation.store, installation.project_id)
    key = installation.store.blobs.put(map_to_npy(anomaly_map))
    with installation.store.session() as session:
        values = {"map_blob_key": key, "map_max": float(anomaly_map.max()), "score": 0.1}
        session.execute(update(Prediction).where(Prediction.image_id == image_id).values(**values))
    return image_id


def bring_along(installation: Installation) -> None:
    while judge_anew(installation.store, installation.project_id):
        pass


def said(store: Store, image_id: int) -> str | None:
    with store.session(read_only=True) as session:
        prediction = active_prediction(session, image_id)
        assert prediction is not None
        return verdict(prediction, criterion(session, prediction.prompt_version_id))


def listed(installation: Installation, wanted: str) -> set[int]:
    with installation.store.session(read_only=True) as session:
        rows = list_images(session, installation.project_id, wanted=ImageFilter(verdict=wanted), limit=100).items
        assert count_images(session, installation.project_id, ImageFilter(verdict=wanted)) == len(rows)
        return {row.image.id for row in rows}


def exported(installation: Installation) -> dict[int, str]:
    data = b"".join(export_zip(installation.store, installation.project_id, "csv"))
    table = zipfile.ZipFile(io.BytesIO(data)).read("images.csv").decode()
    return {int(row["image_id"]): row["verdict"] for row in csv.DictReader(io.StringIO(table))}


def test_areas_are_those_of_the_regions_that_are_outlined() -> None:
    rng = np.random.default_rng(0)
    anomaly_map = rng.random((24, 30)).astype(np.float32)
    outlined = find_regions(anomaly_map, HEIGHT, WIDTH, 0.6, most=None)
    assert region_areas(anomaly_map, HEIGHT, WIDTH, 0.6) == sorted((one.area for one in outlined), reverse=True)
    assert len(outlined) > 5 and region_areas(anomaly_map, HEIGHT, WIDTH, 1.0) == []


def test_it_says_the_same_of_filter_export_and_image(installation: Installation) -> None:
    nothing, small, two, large = (
        add_with_map(installation, square_map(*sides), seed=seed)
        for seed, sides in enumerate([(), (3,), (5, 5), (20,)], start=1)
    )
    for rule, anomalous in (
        ({"area": 4}, {small, two, large}),
        ({"area": 25}, {two, large}),
        ({"area": 25, "more_than": 1}, {two}),
        ({"area": 25, "more_than": 1, "single": 400}, {two, large}),
        ({"area": 401}, set()),
    ):
        set_rule(installation, **by_regions(**rule))
        bring_along(installation)
        normal = {nothing, small, two, large} - anomalous
        assert listed(installation, "anomalous") == anomalous and listed(installation, "normal") == normal
        for image_id in (nothing, small, two, large):
            expected = "anomalous" if image_id in anomalous else "normal"
            assert said(installation.store, image_id) == exported(installation)[image_id] == expected
    set_rule(installation, verdict_rule={"kind": "score"}, threshold=0.05)
    assert listed(installation, "anomalous") == {nothing, small, two, large}  # as by score, at once


def test_with_a_scale_areas_are_in_mm2(installation: Installation) -> None:
    image_id = add_with_map(installation, square_map(10), seed=1)
    for scale, expected in ((10.0, "anomalous"), (11.0, "normal")):  # 100 px² are 1 mm², and 0.83
        set_rule(installation, px_per_mm=scale, **by_regions(area=1))
        bring_along(installation)
        assert said(installation.store, image_id) == expected


def test_what_an_older_rule_said_counts_for_nothing_until_it_is_brought_along(installation: Installation) -> None:
    image_id = add_with_map(installation, square_map(10), seed=1)
    set_rule(installation, **by_regions(area=100))
    assert said(installation.store, image_id) is None and not listed(installation, "anomalous")
    bring_along(installation)
    assert said(installation.store, image_id) == "anomalous"
    set_rule(installation, map_threshold=0.95)
    assert said(installation.store, image_id) is None and not listed(installation, "normal")
    bring_along(installation)
    assert said(installation.store, image_id) == "normal" and listed(installation, "normal") == {image_id}
    assert judge_anew(installation.store, installation.project_id) == 0


def test_a_version_that_comes_back_into_use_is_brought_along_too(installation: Installation) -> None:
    image_id = add_with_map(installation, square_map(10), seed=1)
    activate_copy(installation)
    set_rule(installation, **by_regions(area=10))
    bring_along(installation)
    with installation.store.session(read_only=True) as session:
        [first] = session.scalars(select(Prediction).where(Prediction.image_id == image_id))
        assert first.regions_rule is None  # nobody asks it
    with installation.store.session() as session:
        activate(session, first.prompt_version_id)
    bring_along(installation)
    assert said(installation.store, image_id) == "anomalous"


def test_new_images_are_judged_as_they_are_scored_and_told_of(installation: Installation) -> None:
    with installation.store.session() as session:
        add_webhook(
            session, project_id=None, url="https://mes.example/hook", events=["image.inspected", "image.anomalous"]
        )
    set_rule(installation, map_threshold=0.0, **by_regions(area=HEIGHT * WIDTH))
    image_id = add(installation, seed=1)
    score_all(installation.store, installation.project_id)
    assert said(installation.store, image_id) == "anomalous" and listed(installation, "anomalous") == {image_id}
    assert judge_anew(installation.store, installation.project_id) == 0
    with installation.store.session(read_only=True) as session:
        told = [(one.event, one.body) for one in list_messages(session, 1)]
    assert {(event, body["verdict"], body["verdict_rule"]) for event, body in told} == {
        ("image.inspected", "anomalous", "regions"),
        ("image.anomalous", "anomalous", "regions"),
    }


def test_an_image_whose_map_is_lost_is_scored_anew(installation: Installation) -> None:
    image_id = add_with_map(installation, square_map(10), seed=1)
    with installation.store.session(read_only=True) as session:
        prediction = active_prediction(session, image_id)
        assert prediction is not None
    installation.store.blobs.delete(prediction.map_blob_key)
    wanted = by_regions(area=1)
    assert try_rule(installation.store, installation.project_id, wanted).unreadable == 1
    set_rule(installation, **wanted)
    bring_along(installation)
    score_all(installation.store, installation.project_id)
    assert said(installation.store, image_id) in ("normal", "anomalous")


@pytest.mark.parametrize("first_visit", [True, False])
def test_a_trial_says_what_saving_then_does(installation: Installation, first_visit: bool) -> None:
    ids = [add_with_map(installation, square_map(side), seed=side) for side in (0, 2, 4, 6, 8)]
    if not first_visit:
        set_rule(installation, threshold=0.5)
    wanted = by_regions(area=16)
    trial = try_rule(installation.store, installation.project_id, wanted)
    assert (trial.images, trial.to_anomalous, trial.to_normal) == (5, 3, 0)
    assert trial.before.unjudged == (5 if first_visit else 0) and trial.after.anomalous == 3
    assert [one.image_id for one in trial.changed if one.after == "anomalous"] == ids[:1:-1]
    assert said(installation.store, ids[4]) == (None if first_visit else "normal")  # nothing was changed
    set_rule(installation, **wanted)
    bring_along(installation)
    assert [said(installation.store, one) for one in ids] == [*["normal"] * 2, *["anomalous"] * 3]
    back = try_rule(installation.store, installation.project_id, {"verdict_rule": {"kind": "score"}, "threshold": 0.5})
    assert (back.to_anomalous, back.to_normal) == (0, 3)
