"""Rows of a project with many images, written straight into the tables: no files, as no question reads any.

Five versions have scored all images but the newest few and some that failed. A tenth is corrected, and mostly what
was to be corrected next; four runs have learnt from that, and the last corrections wait for another one.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, insert
from sqlalchemy.orm import Session

from db.images.newest_annotations import mark_learnt
from db.images.review_queue import expected_gain
from db.projects.projects import ensure_project
from db.store import Store
from db.tables.base import utc_now
from db.tables.core import LABELS, Annotation, Image, Prediction, TuningRun
from db.tables.newest_annotations import NewestAnnotation
from db.training.prompt_versions import activate, add_version

VERSIONS = 5
THRESHOLD = 0.5
# Of so many images one is corrected, one has failed.
CORRECTED, FAILED = 10, 2000
# The newest images that no version has scored, and the newest corrections that no run has learnt from.
UNSCORED, WAITING = 5, 100
_CHUNK = 10_000
_KEY = f"00/{'0' * 64}"


def fill(store: Store, count: int) -> int:
    """A project with so many images, in an empty database that is migrated; returns the id of one of them."""
    with store.session() as session:
        project_id = ensure_project(session, "default").id
        versions = [_add_version(session, project_id, number) for number in range(VERSIONS)]
    with _quickly(store.database.engine):
        image_id, annotations = _fill(store, project_id, versions, count)
    with store.session() as session:
        session.add_all(_runs(project_id, versions, annotations[:-WAITING]))
        mark_learnt(session, project_id, annotations[:-WAITING])
    return image_id


@contextmanager
def _quickly(engine: Engine) -> Iterator[None]:
    """On SQLite indexes are made when the rows are there, in their order, and nothing waits for the disk."""
    if engine.dialect.name != "sqlite":
        yield
        return
    own = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('images', "
    with engine.connect() as connection:
        found = connection.exec_driver_sql(f"{own} 'predictions', 'annotations', 'newest_annotations') ORDER BY rowid")
        indexes = found.all()
        for name, _ in indexes:
            connection.exec_driver_sql(f"DROP INDEX {name}")
        connection.commit()
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("PRAGMA synchronous = OFF")
        raw.execute("PRAGMA cache_size = -1000000")
    yield
    with engine.begin() as connection:
        for _, words in indexes:
            connection.exec_driver_sql(words)
    engine.dispose()


def _fill(store: Store, project_id: int, versions: Sequence[int], count: int) -> tuple[int, list[int]]:
    """The id of an image that is scored, and those of all annotations."""
    draw = random.Random(0)
    annotations: list[int] = []
    image_id = 0
    for start in range(0, count, _CHUNK):
        numbers = range(start, min(start + _CHUNK, count))
        with store.session() as session:
            rows = [_image(project_id, number) for number in numbers]
            ids = list(session.scalars(insert(Image).returning(Image.id), rows))
            scored = [
                pair for pair in zip(numbers, ids, strict=True) if pair[0] % FAILED and pair[0] < count - UNSCORED
            ]
            said = {one: _said(draw) for number, one in scored if number % CORRECTED == 1}
            for version_id in versions:
                rows = [_prediction(draw, version_id, *pair, said.get(pair[1])) for pair in scored]
                session.execute(insert(Prediction), rows)
            rows = [{**values, "image_id": one} for one, values in said.items()]
            made = session.execute(insert(Annotation).returning(Annotation.id, Annotation.image_id), rows).all()
            session.execute(insert(NewestAnnotation), [_newest(project_id, *row, said[row.image_id]) for row in made])
            annotations += [row.id for row in made]
            image_id = scored[-1][1] if scored else image_id
    return image_id, annotations


def _add_version(session: Session, project_id: int, number: int) -> int:
    version = add_version(
        session,
        project_id=project_id,
        origin="tuned" if number else "shipped",
        blob_key=_KEY,
        sha256="0" * 64,
        backbone_name="embedded",
        backbone_fingerprint="f" * 64,
        metrics={"parts": ["prompts", "heads", "refiner"]},
    )
    return activate(session, version.id).id


def _runs(project_id: int, versions: Sequence[int], annotations: Sequence[int]) -> Iterator[TuningRun]:
    """One for each version but the first; each learnt from more than the one before, the last from all of these."""
    for number, version_id in enumerate(versions[1:], start=1):
        yield TuningRun(
            project_id=project_id,
            state="succeeded",
            trigger="schedule",
            training_annotation_ids=list(annotations[: len(annotations) * number // (len(versions) - 1)]),
            candidate_version_id=version_id,
            finished_at=utc_now(),
        )


def _image(project_id: int, number: int) -> dict[str, Any]:
    sha256 = f"{number:064x}"
    return {
        "project_id": project_id,
        "sha256": sha256,
        "blob_key": f"{sha256[-2:]}/{sha256}",
        "file_name": f"part-{number % 977}-{number}.png",
        "byte_size": 100_000,
        "width": 1024,
        "height": 768,
        "scoring_error": None if number % FAILED else "The file is damaged.",
    }


def _prediction(
    draw: random.Random, version_id: int, number: int, image_id: int, said: dict[str, Any] | None
) -> dict[str, Any]:
    score, uncertainty, novelty = draw.betavariate(2, 3), draw.random(), draw.random()
    if said is not None:  # people begin with what there is most to learn from
        uncertainty, novelty = (0.9 + uncertainty / 10, 0.9 + novelty / 10)
    return {
        "image_id": image_id,
        "prompt_version_id": version_id,
        "score": score,
        "map_blob_key": f"{image_id % 256:02x}/{version_id:08x}{image_id:056x}",
        "map_max": score,
        "map_uncertainty": uncertainty,
        "novelty": novelty,
        "label": None if said is None else said["label"],
        "expected_gain": expected_gain(score, uncertainty, novelty, THRESHOLD),
        "engine_settings": {"backbone": "embedded", "image_size": 256, "layers": [3, 6, 9, 12]},
    }


def _said(draw: random.Random) -> dict[str, Any]:
    label = draw.choice(LABELS)
    mask = None if label == "normal" else f"11/{draw.getrandbits(256):064x}"
    return {"revision": 1, "source": "drawn", "label": label, "mask_blob_key": mask}


def _newest(project_id: int, annotation_id: int, image_id: int, said: dict[str, Any]) -> dict[str, Any]:
    row = {"image_id": image_id, "project_id": project_id, "annotation_id": annotation_id, "label": said["label"]}
    return {**row, "marked": said["mask_blob_key"] is not None}
