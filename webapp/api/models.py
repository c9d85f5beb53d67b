"""`/models`: which model scores, others to choose, and one on its way into use."""

from typing import Annotated, Literal

from fastapi import APIRouter, File, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from db.images.pages import count_images
from db.images.rows import count_waiting, count_with_old_score
from db.store import Store
from webapp.access.callers import CallerDep
from webapp.access.projects import Projects, ProjectsDep
from webapp.access.rate_limit import rate_limit
from webapp.api.dependencies import SettingsDep, StoreDep, TextsDep
from webapp.texts.translation import translated
from workers.backbones.choosing import RECOMMENDED, Recommended, cancel_change, choose_model, models, take_file

router = APIRouter(prefix="/models", tags=["models"])


class RecommendedView(BaseModel):
    """A model of the short list."""

    name: str
    key: str = Field(description="of its texts on the page")
    download: int = Field(description="bytes")
    memory: int = Field(description="bytes that a process with it takes")
    licence: str
    seconds: float | None = Field(description="an image, as measured on this installation; null: never tried")
    device: str | None


class ChangeView(BaseModel):
    """A model on its way into use, or what became of the last one that was not put to use."""

    name: str
    state: Literal["checking", "fetching", "loading", "failed", "cancelled"]
    done_bytes: int
    total_bytes: int
    error: str


class RescoringView(BaseModel):
    """How many images of the projects that you see wait for their score by the version in use."""

    images: int
    unscored: int
    old: int = Field(description="of these, how many have the score of an earlier version")
    seconds: float | None = Field(description="an image, as measured")


class ModelsView(BaseModel):
    """Where things stand."""

    name: str = Field(description="of the model in use")
    seconds: float | None = Field(description="an image with it, as measured on this installation")
    device: str | None
    setting: str = Field(description="what ANOMALYLOOP_BACKBONE says, which then counts alone; else empty")
    previous: str = Field(description="the model before it; empty where there was none")
    change: ChangeView | None
    recommended: list[RecommendedView]
    files: list[str] = Field(description="weights in the folder for models")
    folder: str
    free_disk: int | None
    free_memory: int | None
    rescoring: RescoringView
    offer: str | None = Field(description="the next better model, where there is room for it and nothing was chosen")


class ModelWanted(BaseModel):
    """Which model."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="`embedded`, open_clip's `model/tag`, `hf-hub:owner/name`, or `model@file`.")


@router.get("")
def get_models(store: StoreDep, settings: SettingsDep, projects: ProjectsDep, say: TextsDep) -> ModelsView:
    """The model in use, others to choose, and how far a change is."""
    found = models(store)
    choice, measured = found.choice, found.choice.measured
    change = None
    if choice.state in ("checking", "fetching", "loading", "failed", "cancelled"):
        change = ChangeView(
            name=choice.wanted,
            state=choice.state,
            done_bytes=choice.done_bytes,
            total_bytes=choice.total_bytes,
            error=translated(say, choice.error),
        )
    return ModelsView(
        name=found.name,
        seconds=measured.get(found.name, {}).get("seconds"),
        device=measured.get(found.name, {}).get("device"),
        setting=found.setting,
        previous="" if choice.previous == found.name else choice.previous,
        change=change,
        recommended=[_recommended(one, measured.get(one.name, {})) for one in RECOMMENDED],
        files=found.files,
        folder=str(settings.models_folder.resolve()),
        free_disk=found.free_disk,
        free_memory=found.free_memory,
        rescoring=_rescoring(store, projects, measured.get(found.name, {}).get("seconds")),
        offer=None if found.offer is None else found.offer.name,
    )


@router.post("", status_code=202)
def post_model(
    store: StoreDep, settings: SettingsDep, projects: ProjectsDep, say: TextsDep, caller: CallerDep, wanted: ModelWanted
) -> ModelsView:
    """Bring a model in and put it to use; the one in use goes on until it is ready. 409 while another is on its way."""
    choose_model(store, wanted.name, caller.name)
    return get_models(store, settings, projects, say)


@router.delete("/change")
def delete_change(store: StoreDep, settings: SettingsDep, projects: ProjectsDep, say: TextsDep) -> ModelsView:
    """Cancel what is on its way; what was fetched is kept."""
    cancel_change(store)
    return get_models(store, settings, projects, say)


class FileTaken(BaseModel):
    """A file of weights."""

    name: str = Field(description="in the folder for models: choose it as `model@name`")


@router.post("/files", status_code=201)
def post_file(
    settings: SettingsDep,
    caller: CallerDep,
    file: Annotated[UploadFile, File(description="Weights: .safetensors, or a torch file.")],
) -> FileTaken:
    """Keep weights in the folder for models, of this machine."""
    rate_limit.take(caller, settings, files=1, size=file.size or 0)
    return FileTaken(name=take_file(file.filename or "", file.file))


def _recommended(one: Recommended, measured: dict[str, object]) -> RecommendedView:
    return RecommendedView(
        name=one.name,
        key=one.key,
        download=one.download,
        memory=one.memory,
        licence=one.licence,
        seconds=measured.get("seconds"),
        device=measured.get("device"),
    )


def _rescoring(store: Store, projects: Projects, seconds: float | None) -> RescoringView:
    seen = [project.id for project in projects.seen()]
    with store.session(read_only=True) as session:
        images = sum(count_images(session, one) for one in seen)
        unscored = sum(count_waiting(session, one) for one in seen)  # corrected images wait like others
        old = sum(count_with_old_score(session, one) for one in seen) if unscored else 0
    return RescoringView(images=images, unscored=unscored, old=old, seconds=seconds)
