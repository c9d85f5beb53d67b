"""Telling of results, in the transaction that keeps them: of each image once, by the first version to score it.

`image.inspected` at its first score; `image.anomalous` once it is called so: then, or, before anything tells a
project's images apart, when it comes to stand out among them.
"""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.images.part_facts import facts_of
from db.images.verdicts import Criterion, criterion, verdict
from db.lookup import get_row
from db.projects.projects import get_project
from db.tables.core import Image, Prediction, Project, PromptVersion
from db.tables.interest import OldPrediction
from db.webhooks.messages import listeners, tell

INSPECTED, ANOMALOUS = "image.inspected", "image.anomalous"


def tell_of_score(session: Session, image: Image, prediction: Prediction) -> None:
    """Tell who wants to know, at an image's first score: not again when all are scored anew."""
    if _is_heard_first(session, image.project_id, prediction, (INSPECTED, ANOMALOUS)):
        tell_of_result(session, get_project(session, image.project_id), _body_of(session, image, prediction))


def tell_of_standing(session: Session, prediction: Prediction) -> None:
    """Tell who wants to know that an image came to stand out among the others."""
    image = get_row(session, Image, prediction.image_id)
    if _is_heard_first(session, image.project_id, prediction, (ANOMALOUS,)):
        tell(session, image.project_id, ANOMALOUS, _body_of(session, image, prediction))


def result_body(
    project: Project, prediction: Prediction, judged_by: Criterion, version: int | None, facts: dict[str, Any]
) -> dict[str, Any]:
    """What is told of a result: the project, what is said of the image, by which version, and what is known of it.

    Args:
        project: whose image it is.
        prediction: what is said of it.
        judged_by: `criterion` of the version.
        version: the version's number.
        facts: what is known of the image.
    """
    return {
        "project_id": project.id,
        "project": project.name,
        "score": prediction.score,
        "threshold": judged_by.threshold,
        "verdict": verdict(prediction, judged_by),
        "verdict_rule": judged_by.kind,
        "prompt_version": version,
        **facts,
    }


def tell_of_result(session: Session, project: Project, body: dict[str, Any]) -> None:
    """Tell of a result: `image.inspected`, and `image.anomalous` where that is its verdict."""
    tell(session, project.id, INSPECTED, body)
    if body["verdict"] == "anomalous":
        tell(session, project.id, ANOMALOUS, body)


def _is_heard_first(session: Session, project_id: int, prediction: Prediction, events: tuple[str, ...]) -> bool:
    """Whether someone listens, and nobody has said anything of the image: no other version, nor this one before."""
    if not any(listeners(session, project_id, event) for event in events):
        return False
    image_id = prediction.image_id
    others = select(Prediction.id).where(Prediction.image_id == image_id, Prediction.id != prediction.id).limit(1)
    old = select(OldPrediction.id).where(OldPrediction.image_id == image_id)
    return session.scalar(others) is None and session.scalar(old) is None


def _body_of(session: Session, image: Image, prediction: Prediction) -> dict[str, Any]:
    project, version_id = get_project(session, image.project_id), prediction.prompt_version_id
    number = session.scalar(select(PromptVersion.number).where(PromptVersion.id == version_id))
    facts = {**facts_of(image), "file_name": image.file_name, "image_id": image.id, "sha256": image.sha256}
    return result_body(project, prediction, criterion(session, version_id), number, facts)
