"""What the page, the schedule, `/metrics` and the workers ask of the database, each as a call: name → call.

Those of the page go through REST, with all that an answer is made of.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import count, islice
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from db.images.annotations import count_labels, newest_annotated, waiting_corrections
from db.images.claims import claim_images, drop_claims, unclaimed_images
from db.images.exports import all_rows
from db.images.filters import ImageFilter
from db.images.newest_annotations import newest_ids
from db.images.pages import list_images, neighbours
from db.images.queue_orders import order_anew, order_more
from db.images.rows import count_by_status, count_with_old_score
from db.operations.pruning import old_predictions
from db.projects.projects import find_project, get_project
from db.store import Store
from db.training.runs import create_run
from webapp.texts import Texts
from webapp.ui.training.next_step import next_step
from workers.operations.figures import figures
from workers.thresholds import evidence
from workers.thresholds.drift import score_drift
from workers.training.runs import is_due

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

Call = Callable[[], object]

# A page of 50 with its counts, 500 when the page looks at a long list again.
_LISTS = {
    "list: newest first": "",
    "list: newest first, 500": "limit=500",
    "list: what to correct next": "order=uncertain&status=to_review",
    "list: what to correct next, 500": "order=uncertain&status=to_review&limit=500",
    "list: what to correct next, of all": "order=uncertain",
    "list: highest score first": "order=score",
    "list: highest score first, to review": "order=score&status=to_review",
    "list: corrected": "status=corrected",
    "list: corrected, highest score first": "status=corrected&order=score",
    "list: failed": "status=failed",
    "list: not scored yet": "status=unscored",
    "list: verdict anomalous, what to correct next": "verdict=anomalous&order=uncertain",
    "list: label normal": "label=normal",
    "list: score 0.4–0.6, to review": "min_score=0.4&max_score=0.6&status=to_review",
    "list: file name, some": "name=part-97",
    "list: file name, none, highest score first": "name=nothing&order=score",
    "list: of one person": "person=local",
}


class _Undone(Exception):
    """Ends a writing session so that nothing of it stays."""


def questions_of_page(client: "TestClient", image_id: int) -> dict[str, Call]:
    """By REST."""
    paths = {name: f"images?{query}" for name, query in _LISTS.items()}
    paths |= {
        "who uploaded or corrected": "images/people",
        "one image": f"images/{image_id}",
        "threshold, with its histogram": "threshold",
        "projects": "projects",
        "versions with their figures": "prompts",
        "runs": "runs",
        "model in use": "models",
    }
    thresholds = count(400)

    def another_threshold() -> None:
        wanted = {"threshold": next(thresholds) / 1000}
        client.put("/api/v1/threshold", json=wanted).raise_for_status()

    asked: dict[str, Call] = {name: partial(_get, client, path) for name, path in paths.items()}
    return {**asked, "another threshold": another_threshold}


def questions_of_workers(store: Store, image_id: int) -> dict[str, Call]:
    """By the functions that they call."""
    with store.session(read_only=True) as session:
        project = find_project(session, "default")
    assert project is not None
    own = project.id

    def reading(ask: Callable[[Session], object]) -> Call:
        def call() -> None:
            with store.session(read_only=True) as session:
                ask(session)

        return call

    def undone(do: Callable[[Session], object]) -> Call:
        def call() -> None:
            try:
                with store.session() as session:
                    do(session)
                    raise _Undone
            except _Undone:
                pass

        return call

    def claim(session: Session) -> None:
        ids = [image.id for image in unclaimed_images(session, own, 64)]
        drop_claims(session, "worker", claim_images(session, ids, "worker", timedelta(seconds=30)))

    def probability(session: Session) -> None:
        evidence._fitted.clear()
        evidence.score_probability(session, own)

    return {
        "images by status": reading(lambda session: count_by_status(session, own)),
        "scores of earlier versions": reading(lambda session: count_with_old_score(session, own)),
        "the first to correct": reading(
            lambda session: list_images(session, own, status="to_review", order="uncertain", limit=1)
        ),
        "the next to correct": reading(
            lambda session: neighbours(session, image_id, status="to_review", order="uncertain")
        ),
        "the next by score, of a verdict": reading(
            lambda session: neighbours(session, image_id, wanted=ImageFilter(verdict="anomalous"), order="score")
        ),
        "probability, after a correction": reading(probability),
        "is a run due": reading(lambda session: is_due(session, get_project(session, own))),
        "freezing a run's input": undone(partial(_freeze, project_id=own)),
        "corrections that wait": reading(lambda session: waiting_corrections(session, own)),
        "labels": reading(lambda session: count_labels(session, own)),
        "what to do next, in Train": reading(lambda session: next_step(Texts("en"), session, own)),
        "drift of scores": reading(lambda session: score_drift(session, own)),
        "images corrected last": reading(lambda session: newest_annotated(session, own, 500)),
        "unscored images, and claiming them": undone(claim),
        "some of the queue in another order, written": undone(partial(_order, project_id=own)),
        "old predictions to delete": reading(lambda session: old_predictions(session, timedelta(days=30), 200)),
        "/metrics": lambda: figures(store),
        "an export's first rows": reading(lambda session: list(islice(all_rows(session, own), 500))),
    }


def _order(session: Session, project_id: int) -> None:
    """Both of them, the beginning and what is then done in the background at once."""
    order_anew(session, project_id)
    order_more(session, project_id)


def _freeze(session: Session, project_id: int) -> None:
    ids = newest_ids(session, project_id)
    create_run(
        session,
        project_id=project_id,
        trigger="manual",
        config={},
        seed=0,
        training_annotation_ids=ids,
        holdout_annotation_ids=[],
        parent_version_id=None,
    )


def _get(client: "TestClient", path: str) -> None:
    client.get(f"/api/v1/{path}").raise_for_status()
