"""Making a project, from nothing or from another one's prompts; renaming one, putting it to rest, its settings."""

from typing import Any

from db.projects.depth import change_depth
from db.projects.projects import (
    add_project,
    archive_project,
    get_project,
    lock_project,
    rename_project,
    update_settings,
)
from db.projects.verdict_rule import region_rule
from db.store import Store
from db.tables.core import Project
from db.training.prompt_versions import activate, active_version, add_version
from engine.images.depth import DepthRule
from workers.broker import dispatch
from workers.errors import BadName, BadSetting, NotReady
from workers.projects.shipped_prompts import DEFAULT_PROJECT


def make_project(store: Store, name: str, *, like: int | None = None) -> Project:
    """A new, empty project.

    Args:
        store: where to.
        name: 1–200 characters.
        like: the project whose active prompts, thresholds and schedule it starts with; None: the prompts that come
            with the backbone, and the default settings.

    Raises:
        BadName, NameTaken: the name can't be used.
        NotFound: there is no project `like`.
        NotReady: it has no active prompts yet.
    """
    with store.session() as session:
        if like is None:
            project = add_project(session, name)
        else:
            source, prompts = get_project(session, like), active_version(session, like)
            if prompts is None:
                raise NotReady(f"The project {source.name!r} has no prompts in use yet. Try again when it has scores.")
            project = add_project(session, name, source.settings)
            version = add_version(
                session,
                project_id=project.id,
                origin="imported",
                blob_key=prompts.blob_key,
                sha256=prompts.sha256,
                backbone_name=prompts.backbone_name,
                backbone_fingerprint=prompts.backbone_fingerprint,
                note=f"version {prompts.number} of the project {source.name}",
            )
            activate(session, version.id)
    dispatch.request_rescoring(project.id)
    return project


def change_project(
    store: Store,
    project_id: int,
    *,
    name: str | None = None,
    archived: bool | None = None,
    settings: dict[str, Any] | None = None,
) -> Project:
    """Rename a project, archive it or have it work again, change settings: all of it or nothing; None leaves as it is.

    Raises:
        NotFound: no such project.
        BadName, NameTaken: the name can't be used; or it is `default`, which stays what it is.
        BadSetting: see `db.projects.projects.update_settings`; depth is [black, white]; images are then scored anew.
        RunInProgress: it can't be archived while a run of it goes on.
    """
    settings = dict(settings or {})
    depth = _range(settings.pop("depth")) if settings.get("depth") is not None else None
    seen_anew, maps = list[int](), list[str]()
    with store.session() as session:
        project = lock_project(session, project_id)
        before = region_rule(project.settings)
        if project.name == DEFAULT_PROJECT and (archived or name not in (None, DEFAULT_PROJECT)):
            raise BadName(
                f"The project {DEFAULT_PROJECT!r} keeps its name and can't be archived: requests that name no project "
                "mean it. Make another project for other work."
            )
        if name is not None:
            project = rename_project(session, project_id, name)
        if settings:
            project = update_settings(session, project_id, settings)
        if depth is not None:
            seen_anew, maps = change_depth(session, project_id, (depth.low, depth.high), str(depth))
        if archived is not None:
            project = archive_project(session, project_id, archived)
        judged_anew = region_rule(project.settings) not in (None, before)
    store.delete_blobs(maps)
    if "threshold" in settings:
        dispatch.request_queue_order()
    if seen_anew or judged_anew:
        dispatch.request_rescoring(project_id)
    return project


def _range(wanted: Any) -> DepthRule:
    """Values that are black and white, as JSON has them. Raises BadSetting."""
    try:
        low, high = wanted
        return DepthRule(float(low), float(high))
    except (TypeError, ValueError) as error:
        raise BadSetting(
            f"The setting depth is two numbers, the value that is black and a larger one that is white, not {wanted!r}."
        ) from error
