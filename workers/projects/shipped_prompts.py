"""What a project needs before it can score: prompts of its own that belong to the backbone in use."""

import hashlib
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from db.images.images import clear_scoring_errors
from db.projects.projects import ensure_project, lock_project
from db.store import Store
from db.training.prompt_versions import (
    activate,
    active_version,
    add_version,
    list_versions,
    projects_of_others,
    projects_without_shipped,
    version_for,
)
from settings import get_settings
from workers.scoring import engine_host

if TYPE_CHECKING:
    from engine.serving.engine import Engine

DEFAULT_PROJECT = "default"


def ensure_default_project(store: Store, engine: "Engine") -> int:
    """The project `default`, and in every project the backbone's own prompts; safe to call at any time.

    Returns:
        The id of `default`.
    """
    with store.session() as session:
        project_id = ensure_project(session, DEFAULT_PROJECT).id
    ensure_shipped_prompts(store, engine)
    return project_id


def ensure_shipped_prompts(store: Store, engine: "Engine") -> None:
    """See to it that every project that works has the backbone's own prompts as a version.

    They become active where no version is. Where the active version belongs to another backbone, it stays as long as
    the environment names the backbone: whether to go on with the shipped prompts of this one or to go back is for a
    person to decide. Where the backbone was chosen on the page, every project follows.
    """
    _ship(store, engine)
    with store.session(read_only=True) as session:
        behind = projects_of_others(session, engine.info.fingerprint)
    if behind and not get_settings().backbone_is_set and engine_host.serves_the_choice(engine):
        with store.session() as session:
            use_versions_of(session, engine.info.fingerprint, "local")


def use_versions_of(session: Session, fingerprint: str, author: str) -> list[int]:
    """In every working project, the version that this backbone scored with last, or its shipped prompts.

    Returns:
        the ids of the projects in which another version is active now.
    """
    changed = []
    for project_id in projects_of_others(session, fingerprint):
        version = version_for(session, project_id, fingerprint)
        if version is not None:
            activate(session, version.id, author)
            clear_scoring_errors(session, project_id)
            changed.append(project_id)
    return changed


def _ship(store: Store, engine: "Engine") -> None:
    with store.session(read_only=True) as session:
        lacking = projects_without_shipped(session, engine.info.fingerprint)
    if not lacking:
        return
    from engine.detector.prompt_files import prompts_to_bytes, shipped_prompts

    data = prompts_to_bytes(shipped_prompts(engine.backbone))
    store.blobs.put(data)
    for project_id in lacking:
        with store.session() as session:
            lock_project(session, project_id)  # one process at a time decides whether they are there
            fingerprint = engine.info.fingerprint
            shipped = {v.backbone_fingerprint for v in list_versions(session, project_id) if v.origin == "shipped"}
            if fingerprint in shipped:
                continue
            version = add_version(
                session,
                project_id=project_id,
                origin="shipped",
                blob_key=store.keep_until_named(session, data),
                sha256=hashlib.sha256(data).hexdigest(),
                backbone_name=engine.info.name,
                backbone_fingerprint=fingerprint,
                note="comes with the backbone",
            )
            if active_version(session, project_id) is None:
                activate(session, version.id)
