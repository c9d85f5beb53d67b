"""`/images`, the writing of new ones: uploads, done once under a key, and the samples."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body, File, Form, Header, Request, Response, UploadFile
from pydantic import BaseModel

from db.images.part_facts import PartFacts
from db.store import Store
from settings import Settings
from webapp.access.callers import CallerDep
from webapp.access.gate import name_object
from webapp.access.projects import ProjectsDep
from webapp.access.rate_limit import rate_limit
from webapp.api.dependencies import SettingsDep, StoreDep, TextsDep, require_few
from webapp.api.part_fields import PartDep
from webapp.api.problems import problem
from webapp.page.samples import sample_images
from webapp.texts import Texts
from webapp.texts.translation import translated
from workers.broker import dispatch
from workers.errors import ImageError
from workers.images.intake import add_upload
from workers.images.intake_once import Key, fingerprint, once
from workers.projects.shipped_prompts import DEFAULT_PROJECT

router = APIRouter(prefix="/images", tags=["images"])


class Kept(BaseModel):
    """A file that was kept: it survives any crash from here on."""

    id: int
    sha256: str
    width: int
    height: int
    duplicate: bool
    file_name: str


class Refused(BaseModel):
    """A file that was not kept, and why."""

    file_name: str
    error: str


@router.post("", status_code=201, response_model=list[Kept | Refused])
def post_images(
    request: Request,
    response: Response,
    store: StoreDep,
    projects: ProjectsDep,
    settings: SettingsDep,
    caller: CallerDep,
    say: TextsDep,
    facts: PartDep,
    files: Annotated[list[UploadFile], File(description="Images; repeat the field for several.")],
    project: Annotated[str, Form(description="The project's name.")] = DEFAULT_PROJECT,
    idempotency_key: Annotated[
        str | None,
        Header(min_length=1, max_length=255, description="The same upload under the same key is done once."),
    ] = None,
) -> list[Kept | Refused] | Response:
    """Keep images and queue them for scoring. A bad file is an entry with `error`; the others are kept all the same.

    With an Idempotency-Key, an upload that is sent again gets the answer of the first time (and the header
    Idempotency-Replayed), for a day unless set otherwise; another upload under the same key is refused.
    """
    project_id = projects.named(project, to_add=True).id
    require_few(len(files), settings)
    rate_limit.take(caller, settings, files=len(files), size=sum(file.size or 0 for file in files))

    def take_in() -> list[Kept | Refused]:
        return [_take_in(say, store, settings, project_id, file, caller.name, facts) for file in files]

    outcomes = (
        take_in()
        if idempotency_key is None
        else _once(store, response, Key(caller.name, idempotency_key), project_id, files, take_in)
    )
    kept = [outcome.id for outcome in outcomes if isinstance(outcome, Kept)]
    if not kept:
        refused = [outcome.model_dump() for outcome in outcomes]
        detail = "None of the files could be kept. " + " ".join(
            f"{one['file_name']}: {one['error']}" for one in refused
        )
        return problem(request, 422, "unusable-image", "The image can't be used", detail, files=refused)
    dispatch.request_scoring(kept)
    name_object(request, f"project {project}: images {', '.join(map(str, kept))}")
    return outcomes


@router.post("/samples", status_code=201)
def post_samples(
    request: Request,
    store: StoreDep,
    projects: ProjectsDep,
    caller: CallerDep,
    project: Annotated[str, Body(embed=True, description="The project's name.")] = DEFAULT_PROJECT,
) -> list[int]:
    """Take in the three sample images as if they had been uploaded; returns their ids."""
    project_id = projects.named(project, to_add=True).id
    samples = sample_images().items()
    ids = [add_upload(store, project_id, name, data, caller.name).image_id for name, data in samples]
    dispatch.request_scoring(ids)
    name_object(request, f"project {project}: images {', '.join(map(str, ids))}")
    return ids


def _once(
    store: Store,
    response: Response,
    key: Key,
    project_id: int,
    files: list[UploadFile],
    take_in: Callable[[], list[Kept | Refused]],
) -> list[Kept | Refused]:
    """The outcomes of this upload, or those that it had before under this key; refusals alone are not remembered."""
    refused: list[Kept | Refused] = []

    def take_in_now() -> list[dict[str, Any]]:
        outcomes = take_in()
        if any(isinstance(one, Kept) for one in outcomes):
            return [one.model_dump() for one in outcomes]
        refused.extend(outcomes)
        return []

    mark = fingerprint(project_id, [(file.filename or "", file.file) for file in files])
    answer, replayed = once(store, key, mark, take_in_now)
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return refused or [Refused(**one) if "error" in one else Kept(**one) for one in answer]


def _take_in(
    say: Texts, store: Store, settings: Settings, project_id: int, file: UploadFile, author: str, facts: PartFacts
) -> Kept | Refused:
    name = file.filename or "unnamed"
    if file.size is not None and file.size > settings.max_upload_mb * 1e6:  # before it is read into memory
        return Refused(
            file_name=name,
            error=translated(
                say,
                f"The file has {file.size / 1e6:.1f} MB and the limit is {settings.max_upload_mb:g} MB. "
                "Save it smaller, or raise ANOMALYLOOP_MAX_UPLOAD_MB.",
            ),
        )
    try:
        added = add_upload(store, project_id, name, file.file.read(), author, facts)
    except ImageError as error:
        return Refused(file_name=name, error=translated(say, str(error)))
    return Kept(
        id=added.image_id,
        sha256=added.sha256,
        width=added.width,
        height=added.height,
        duplicate=added.duplicate,
        file_name=name,
    )
