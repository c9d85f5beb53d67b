"""What a project needs before it can score: prompts of its own that belong to the backbone in use."""

import hashlib
from typing import TYPE_CHECKING

from db.lookup import get_row
from db.models import Project
from db.projects import ensure_project
from db.prompt_versions import activate, active_version, add_version, list_versions
from db.store import Store

if TYPE_CHECKING:
    from engine.serving import Engine

DEFAULT_PROJECT = "default"


def ensure_default_project(store: Store, engine: "Engine") -> int:
    """The project `default`, with the backbone's own prompts as a version of it; safe to call at any time.

    They become active where no version is. Where the active version belongs to another backbone, it stays: whether to
    go on with the shipped prompts of this backbone or to go back to the other one is for a person to decide.

    Returns:
        The project's id.
    """
    from engine.prompt_files import prompts_to_bytes, shipped_prompts

    data = prompts_to_bytes(shipped_prompts(engine.backbone))
    blob_key = store.blobs.put(data)
    with store.session() as session:
        project_id = ensure_project(session, DEFAULT_PROJECT).id
        get_row(session, Project, project_id, lock=True)  # one process at a time decides whether it is there
        fingerprint = engine.info.fingerprint
        shipped = {v.backbone_fingerprint for v in list_versions(session, project_id) if v.origin == "shipped"}
        if fingerprint not in shipped:
            version = add_version(
                session,
                project_id=project_id,
                origin="shipped",
                blob_key=blob_key,
                sha256=hashlib.sha256(data).hexdigest(),
                backbone_name=engine.info.name,
                backbone_fingerprint=fingerprint,
                note="comes with the backbone",
            )
            if active_version(session, project_id) is None:
                activate(session, version.id)
    return project_id
