"""Lists of images: every image once, in order, page by page, whatever happens in between; and quick with thousands."""

import base64
import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event, insert
from sqlalchemy.orm import Session

from db.errors import BadCursor, NotFound
from db.images.annotations import newest_annotated, waiting_corrections
from db.images.filters import ImageFilter, people_of
from db.images.images import delete_image
from db.images.order import ORDERS
from db.images.pages import count_images, list_images, neighbours
from db.images.rows import STATUSES, ImageRow, count_by_status, unscored_images
from db.projects.projects import update_settings
from db.session import Database
from db.tables.core import Annotation, Image, Prediction
from db.tables.metadata import TABLES
from db.thresholds.evidence import labelled_scores, score_windows
from tests.db.making import (
    let_newest_count,
    make_annotation,
    make_image,
    make_prediction,
    make_project,
    make_version,
)

THRESHOLD = 0.4


def fill(session: Session, count: int, *, seed: int = 0) -> int:
    """The id of a project with images of every status; scores repeat, so that places are shared."""
    draw = random.Random(seed)
    project_id, other_id = make_project(session), make_project(session, "other")
    update_settings(session, project_id, {"threshold": THRESHOLD})
    old, version = make_version(session, project_id), make_version(session, project_id)
    make_image(session, other_id, 0)
    ids = session.scalars(insert(Image).returning(Image.id), [_image(project_id, number) for number in range(count)])
    predictions, annotations = [], []
    for image_id in ids.all():
        predictions.append(_prediction(image_id, old.id, draw.random(), draw.random()))
        if draw.random() < 0.8:
            score = draw.choice([0.0, 0.1, 0.3, 0.5, 0.7, 1.0, draw.random()])
            predictions.append(_prediction(image_id, version.id, score, draw.choice([0.0, 0.5, draw.random()])))
        annotations += [_annotation(image_id, revision + 1) for revision in range(draw.choice([0, 0, 1, 2]))]
    session.execute(insert(Prediction), predictions)
    session.execute(insert(Annotation), annotations)
    let_newest_count(session)
    return project_id


def walk(session: Session, project_id: int, limit: int, **query: Any) -> list[ImageRow]:
    """All pages of a list, one after the other."""
    rows, cursor = [], None
    while True:
        page = list_images(session, project_id, limit=limit, cursor=cursor, **query)
        rows += page.items
        cursor = page.next_cursor
        if cursor is None:
            return rows
        assert len(page.items) == limit


PLACES: dict[str, Callable[[ImageRow], tuple[float, int]]] = {
    "newest": lambda row: (0.0, -row.image.id),
    "score": lambda row: (-row.prediction.score if row.prediction else 2.0, -row.image.id),
    "uncertain": lambda row: (-row.prediction.expected_gain if row.prediction else 2.0, -row.image.id),
}


@pytest.mark.parametrize("order", ORDERS)
def test_thousands_of_images_are_each_seen_once_in_order(database: Database, order: str) -> None:
    with database.session() as session:
        project_id = fill(session, 3000)
    with database.session(read_only=True) as session:
        rows = walk(session, project_id, 97, order=order)
    assert len({row.image.id for row in rows}) == len(rows) == 3000
    assert rows == sorted(rows, key=PLACES[order])


@pytest.mark.parametrize("order", ORDERS)
def test_the_lists_of_all_statuses_together_hold_every_image_once(database: Database, order: str) -> None:
    with database.session() as session:
        project_id = fill(session, 200)
        by_status = {status: walk(session, project_id, 7, status=status, order=order) for status in STATUSES}
        assert {status: len(rows) for status, rows in by_status.items()} == count_by_status(session, project_id)
    assert all(row.status == status for status, rows in by_status.items() for row in rows)
    assert len({row.image.id for rows in by_status.values() for row in rows}) == 200


FILTERS: dict[str, tuple[ImageFilter, Callable[[ImageRow], bool]]] = {
    "the verdict": (
        ImageFilter(verdict="anomalous"),
        lambda row: row.prediction is not None and row.prediction.score >= THRESHOLD,
    ),
    "the other verdict": (
        ImageFilter(verdict="normal"),
        lambda row: row.prediction is not None and row.prediction.score < THRESHOLD,
    ),
    "the newest label": (
        ImageFilter(label="anomalous"),
        lambda row: row.annotation is not None and row.annotation.label == "anomalous",
    ),
    "the score": (
        ImageFilter(min_score=0.3, max_score=0.7),
        lambda row: row.prediction is not None and 0.3 <= row.prediction.score <= 0.7,
    ),
    "the name": (ImageFilter(name="9.PNG"), lambda row: row.image.file_name.endswith("9.png")),
    "a name with the signs that SQL has a meaning for": (ImageFilter(name="%_"), lambda row: False),
    "several at once": (
        ImageFilter(status="corrected", verdict="anomalous", label="normal", name="1"),
        lambda row: (
            row.status == "corrected"
            and row.annotation is not None
            and row.annotation.label == "normal"
            and row.prediction is not None
            and row.prediction.score >= THRESHOLD
            and "1" in row.image.file_name
        ),
    ),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("wanted, passes", FILTERS.values(), ids=FILTERS.keys())
def test_a_filter_shows_and_counts_what_it_asks_for_in_order(
    database: Database, order: str, wanted: ImageFilter, passes: Callable[[ImageRow], bool]
) -> None:
    with database.session() as session:
        project_id = fill(session, 200)
        expected = [row for row in walk(session, project_id, 200, order=order) if passes(row)]
        assert walk(session, project_id, 7, order=order, wanted=wanted) == expected
        assert count_images(session, project_id, wanted) == len(expected)


def test_images_can_be_asked_for_by_when_they_were_added(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        days = [datetime(2026, 11, day, 12, tzinfo=UTC) for day in range(1, 6)]
        images = [make_image(session, project_id, number) for number in range(5)]
        for image, day in zip(images, days, strict=True):
            image.created_at = day
        session.flush()
        wanted = ImageFilter(added_from=days[1], added_before=days[3])
        assert [row.image for row in list_images(session, project_id, wanted=wanted).items] == [images[2], images[1]]
        assert count_images(session, project_id, wanted) == 2


def test_a_row_shows_the_newest_annotation_and_the_active_version(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        image = make_image(session, project_id, 1)
        make_prediction(session, image, make_version(session, project_id), 0.1)
        prediction = make_prediction(session, image, make_version(session, project_id), 0.9)
        make_annotation(session, image)
        annotation = make_annotation(session, image)
        assert list_images(session, project_id).items == [ImageRow(image, annotation, prediction, "corrected")]


def test_images_that_come_and_go_between_pages_repeat_and_hide_none(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        before = [make_image(session, project_id, number).id for number in range(10)]
        first = list_images(session, project_id, limit=4)
        shown = [row.image.id for row in first.items]
        make_image(session, project_id, 10)
        for image_id in (shown[0], shown[-1]):  # the last of a page is where the next begins
            delete_image(session, image_id)
        rest = list_images(session, project_id, limit=50, cursor=first.next_cursor)
        assert shown + [row.image.id for row in rest.items] == before[::-1]


def test_the_last_page_says_so(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        assert list_images(session, project_id).items == []
        for number in range(4):
            make_image(session, project_id, number)
        assert list_images(session, project_id, limit=4).next_cursor is None
        assert list_images(session, project_id, limit=3).next_cursor is not None


def cursor_of(*content: Any) -> str:
    """A cursor in the right wrapping."""
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "no cursor",
        "ünï",
        "AAAA",
        cursor_of("score", 0, 0.5, 3),  # of another order
        cursor_of("newest", 0, 0.0),
        cursor_of("newest", 0, 0.0, "3"),
        cursor_of("newest", 0, [], 3),
        cursor_of("newest", 0, 0.0, 10**30),
        cursor_of("newest", 7, 0.0, 3),
        base64.urlsafe_b64encode(b"17").decode(),
    ],
)
def test_a_made_up_cursor_is_refused(database: Database, cursor: str) -> None:
    with database.session() as session:
        project_id = make_project(session)
        with pytest.raises(BadCursor):
            list_images(session, project_id, cursor=cursor)


@pytest.mark.parametrize("query", [{"order": "colour"}, {"status": "lost"}, {"limit": 0}])
def test_an_unknown_order_or_status_is_refused(database: Database, query: dict[str, Any]) -> None:
    with database.session() as session:
        project_id = make_project(session)
        with pytest.raises(ValueError, match=r"orders are|statuses are|at least 1"):
            list_images(session, project_id, **query)


def test_a_project_that_does_not_exist_has_no_list(database: Database) -> None:
    with database.session() as session, pytest.raises(NotFound, match="no project 99"):
        list_images(session, 99)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("status", [None, "to_review"])
def test_neighbours_lead_through_the_whole_list_and_back(database: Database, order: str, status: str | None) -> None:
    with database.session() as session:
        project_id = fill(session, 60)
        listed = [row.image.id for row in walk(session, project_id, 60, status=status, order=order)]
        steps = [neighbours(session, image_id, status=status, order=order) for image_id in listed]
    assert [step.next_id for step in steps] == [*listed[1:], None]
    assert [step.previous_id for step in steps] == [None, *listed[:-1]]


def test_an_image_that_was_just_corrected_still_leads_to_the_next_one_to_review(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        version = make_version(session, project_id)
        images = [make_image(session, project_id, number) for number in range(3)]
        for image in images:
            make_prediction(session, image, version)
        make_annotation(session, images[1])
        beside = neighbours(session, images[1].id, status="to_review")
        assert (beside.previous_id, beside.next_id) == (images[2].id, images[0].id)


def test_an_image_that_does_not_exist_has_no_neighbours(database: Database) -> None:
    with database.session() as session, pytest.raises(NotFound, match="no image 99"):
        neighbours(session, 99)


@contextmanager
def statements(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """The SQL that is sent within the block, with its parameters."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        sent.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    yield sent
    event.remove(database.engine, "before_cursor_execute", note)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("status", [None, *STATUSES])
def test_no_question_reads_a_table_from_end_to_end(sqlite: Database, order: str, status: str | None) -> None:
    with sqlite.session() as session:
        project_id = fill(session, 300)
    with statements(sqlite) as sent, sqlite.session() as session:
        page = list_images(session, project_id, status=status, order=order, limit=10)
        list_images(session, project_id, status=status, order=order, limit=10, cursor=page.next_cursor)
        neighbours(session, page.items[0].image.id if page.items else 1, status=status, order=order)
        count_by_status(session, project_id)
        unscored_images(session, project_id, 10)
        waiting_corrections(session, project_id)
        delete_image(session, 7)
    questions = [(sql, parameters) for sql, parameters in sent if sql.startswith("SELECT")]
    with sqlite.engine.connect() as connection:
        for sql, parameters in questions:
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)]
            scanned = {step.split()[1].rstrip("_123456789") for step in plan if step.startswith("SCAN")}
            assert not scanned & TABLES.tables.keys(), (sql, plan)


# What is asked, and the index that holds its answer in its order.
IN_ORDER: dict[str, Callable[[Session, int], object]] = {
    "ix_images_project_id": lambda session, own: list_images(session, own, limit=5),
    "ix_images_by_author": lambda session, own: people_of(session, own),
    "ix_images_by_time": lambda session, own: score_windows(session, own, 2, 5),
    "ix_images_failed": lambda session, own: count_by_status(session, own),
    "ix_predictions_by_score": lambda session, own: list_images(
        session, own, status="to_review", order="score", limit=5
    ),
    "ix_predictions_by_gain": lambda session, own: list_images(session, own, order="uncertain", limit=5),
    "ix_predictions_to_review": lambda session, own: list_images(
        session, own, status="to_review", order="uncertain", limit=5
    ),
    "ix_predictions_corrected": lambda session, own: labelled_scores(session, 2),
    "ix_newest_annotations_project_id": lambda session, own: newest_annotated(session, own, 5),
    "ix_newest_annotations_by_image": lambda session, own: list_images(session, own, status="corrected", limit=5),
    "ix_newest_annotations_by_label": lambda session, own: list_images(
        session, own, wanted=ImageFilter(label="normal"), limit=5
    ),
    "ix_newest_annotations_waiting": lambda session, own: waiting_corrections(session, own),
}


@pytest.mark.parametrize("index", IN_ORDER)
def test_an_index_holds_the_answer_in_its_order(sqlite: Database, index: str) -> None:
    with sqlite.session() as session:
        project_id = fill(session, 300)
    with statements(sqlite) as sent, sqlite.session() as session:
        IN_ORDER[index](session, project_id)
    with sqlite.engine.connect() as connection:
        plans = [
            row[3]
            for sql, parameters in sent
            if sql.startswith("SELECT")
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)
        ]
    assert any(f"INDEX {index} (" in step for step in plans), plans
    assert not any("TEMP B-TREE FOR ORDER BY" in step for step in plans), plans


@pytest.mark.parametrize("wanted", [ImageFilter(verdict="normal"), ImageFilter(min_score=0.1, status="to_review")])
def test_the_newest_of_a_verdict_are_not_sorted_out_of_all_of_it(sqlite: Database, wanted: ImageFilter) -> None:
    with sqlite.session() as session:
        project_id = fill(session, 300)
    with statements(sqlite) as sent, sqlite.session() as session:
        list_images(session, project_id, wanted=wanted, limit=5)
    with sqlite.engine.connect() as connection:
        for sql, parameters in [one for one in sent if "ORDER BY images.id" in one[0]]:
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)]
            assert not any("TEMP B-TREE" in step for step in plan), plan


def test_a_page_takes_the_same_few_questions_however_long_it_is(database: Database) -> None:
    with database.session() as session:
        project_id = fill(session, 200)
    counts = []
    for limit in (1, 150):
        with statements(database) as sent, database.session() as session:
            list_images(session, project_id, limit=limit)
        counts.append(len([sql for sql, _ in sent if sql.startswith("SELECT")]))
    assert counts[0] == counts[1] <= 4


def _image(project_id: int, number: int) -> dict[str, Any]:
    sha256 = f"{number:064x}"
    return {
        "project_id": project_id,
        "sha256": sha256,
        "blob_key": f"{sha256[:2]}/{sha256}",
        "file_name": f"{number}.png",
        "byte_size": 100,
        "width": 64,
        "height": 48,
        "scoring_error": "The file is gone." if number % 11 == 0 else None,
    }


def _prediction(image_id: int, version_id: int, score: float, gain: float) -> dict[str, Any]:
    key = f"11/{'1' * 64}"
    return {
        "image_id": image_id,
        "prompt_version_id": version_id,
        "score": score,
        "map_blob_key": key,
        "map_max": score,
        "map_uncertainty": gain / 2,
        "novelty": gain / 3,
        "expected_gain": gain,
    }


def _annotation(image_id: int, revision: int) -> dict[str, Any]:
    return {
        "image_id": image_id,
        "revision": revision,
        "label": ("normal", "anomalous")[image_id % 2],
        "source": "drawn",
    }
