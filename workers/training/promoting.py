"""Putting a prompt version to use: activating one, going back to one, and importing prompt files."""

import hashlib

from db.images.images import clear_scoring_errors
from db.projects.projects import get_project
from db.store import Store
from db.tables.core import PromptVersion
from db.training.approvals import awaiting, decline, note_decision, require_second_person
from db.training.prompt_versions import activate, add_version, get_version
from workers.broker import dispatch
from workers.errors import NotReady, PromptError
from workers.operations.readiness import engine_in_use
from workers.scoring.engine_host import get_engine
from workers.training.previewing import forget_previews


def activate_version(
    store: Store, version_id: int, *, author: str = "local", admin: bool = True, waiting: bool = False
) -> PromptVersion:
    """Make a version the one that scores; the images are scored anew.

    Args:
        store: where it is.
        version_id: which.
        author: who wants it.
        admin: whether they are an admin.
        waiting: only one that waits for a second person; else one of any state.

    Raises:
        NotFound: no such version.
        NotAwaiting: it waits for nobody.
        SecondPersonNeeded: the project wants another person than who started its run.
        NotReady: the backbone is not loaded yet, so nobody knows whether the version belongs to it.
        PromptError: it belongs to another backbone.
    """
    status = engine_in_use()
    with store.session() as session:
        _require_same_backbone(get_version(session, version_id), status["state"], status["name"], status["fingerprint"])
        version = awaiting(session, version_id) if waiting else get_version(session, version_id)
        require_second_person(session, version, author, admin=admin)
        if version.state == "awaiting":
            note_decision(session, version, author, None)
        version = activate(session, version_id, author)
        clear_scoring_errors(session, version.project_id)
    forget_previews(store, version.project_id)
    dispatch.request_rescoring(version.project_id)
    return version


def decline_version(store: Store, version_id: int, *, author: str, reason: str, admin: bool) -> PromptVersion:
    """Refuse a version that waits for a second person; see `db.training.approvals.decline` for what it raises."""
    with store.session() as session:
        return decline(session, version_id, author, reason, admin=admin)


def _require_same_backbone(version: PromptVersion, state: str, name: str, fingerprint: str) -> None:
    if state != "ready":
        raise NotReady(f"The backbone is {state}, and prompts are checked against it. See /readyz, then try again.")
    if version.backbone_fingerprint != fingerprint:
        raise PromptError(
            f"Version {version.number} was tuned for the backbone {version.backbone_name} "
            f"({version.backbone_fingerprint[:12]}) and means nothing to {name} ({fingerprint[:12]}), which is in use. "
            "Activate another version, or put the model to use that it was tuned for (Settings, Models)."
        )


def import_prompts(
    store: Store, project_id: int, file_name: str, data: bytes, *, author: str = "local"
) -> PromptVersion:
    """Add a detector's or prompts' file, ours or the reference's checkpoint, as a candidate; it is activated apart.

    Args:
        store: where to.
        project_id: whose it becomes.
        file_name: as its sender names it; it is told in the version's note.
        data: the file's bytes.
        author: who sends it.

    Raises:
        NotFound: no such project.
        BackboneError: there is no engine to check the file against.
        PromptError: no such file, one of another backbone, or one that would run code; nothing of it is kept.
    """
    engine = get_engine()
    from engine.detector.files import detector_to_bytes  # torch, which the engine has loaded by now

    detector = engine.load_detector(data)
    ours, made_from = detector_to_bytes(detector), detector.prompts.note
    with store.session(read_only=True) as session:
        get_project(session, project_id)
    with store.clearing_up([store.blobs.put(ours)]), store.session() as session:
        blob_key = store.keep_until_named(session, ours)
        return add_version(
            session,
            project_id=project_id,
            origin="imported",
            blob_key=blob_key,
            sha256=hashlib.sha256(ours).hexdigest(),
            backbone_name=engine.info.name,
            backbone_fingerprint=engine.info.fingerprint,
            metrics={"parts": list(detector.parts)},
            note=f"imported from {file_name[:200]}" + (f": {made_from}" if made_from else ""),
            author=author,
        )
