"""Telling of results: of each image once, at its first score, in the transaction that keeps the score."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import Image, Prediction, Project, PromptVersion
from db.part_facts import facts_of
from db.projects import get_project
from db.verdicts import verdict
from db.webhooks import listeners, tell

INSPECTED, ANOMALOUS = "image.inspected", "image.anomalous"


def tell_of_score(session: Session, image: Image, prediction: Prediction) -> None:
    """Tell who wants to know, at an image's first score: not again when all are scored anew."""
    wanted = [event for event in (INSPECTED, ANOMALOUS) if listeners(session, image.project_id, event)]
    if not wanted:
        return
    others = select(Prediction.id).where(Prediction.image_id == image.id, Prediction.id != prediction.id).limit(1)
    if session.scalar(others) is not None:
        return
    project = get_project(session, image.project_id)
    number = session.scalar(select(PromptVersion.number).where(PromptVersion.id == prediction.prompt_version_id))
    body = result_body(project, prediction, number, {**facts_of(image), "file_name": image.file_name})
    tell_of_result(session, project, {**body, "image_id": image.id, "sha256": image.sha256})


def result_body(project: Project, prediction: Prediction, version: int | None, facts: dict[str, Any]) -> dict[str, Any]:
    """What is told of a result: the project, what is said of the image, by which version, and what is known of it."""
    threshold = project.settings["threshold"]
    return {
        "project_id": project.id,
        "project": project.name,
        "score": prediction.score,
        "threshold": threshold,
        "verdict": verdict(prediction, threshold),
        "prompt_version": version,
        **facts,
    }


def tell_of_result(session: Session, project: Project, body: dict[str, Any]) -> None:
    """Tell of a result: `image.inspected`, and `image.anomalous` where its score reaches the threshold."""
    tell(session, project.id, INSPECTED, body)
    if body["score"] >= body["threshold"]:
        tell(session, project.id, ANOMALOUS, body)
