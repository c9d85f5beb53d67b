"""The models that an admin can choose: a short list with what to know of each, any other by name, files in a folder."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from db.backbones.choice import ask_for, cancel, read_choice
from db.store import Store
from db.tables.operations import BackboneChoice
from engine.errors import BackboneError
from settings import get_settings
from workers.backbones.memory_room import free_memory
from workers.errors import BackboneIsSet, BadName

_LONGEST = 300
KINDS = (".safetensors", ".pt", ".pth", ".bin")


@dataclass(frozen=True)
class Recommended:
    """What is known of a model beforehand.

    Attributes:
        name: as it is chosen.
        key: of its texts.
        download: bytes.
        memory: bytes that a process with it takes.
        licence: of its weights.
    """

    name: str
    key: str
    download: int
    memory: int
    licence: str


RECOMMENDED = (
    Recommended("embedded", "embedded", 0, 900_000_000, "Apache-2.0"),
    Recommended("ViT-B-16-quickgelu/openai", "vit_b", 599_000_000, 1_500_000_000, "MIT"),
    Recommended("ViT-L-14-336-quickgelu/openai", "vit_l", 1_713_000_000, 2_700_000_000, "MIT"),
    Recommended("ViT-L-14/datacomp_xl_s13b_b90k", "open", 1_711_000_000, 2_600_000_000, "MIT"),
)
# What is offered on a first visit, where there is room for it.
OFFERED = RECOMMENDED[1]


@dataclass(frozen=True)
class Models:
    """Where things stand.

    Attributes:
        name: of the model in use.
        setting: what the environment says, which then counts alone; empty where it says nothing.
        choice: the row.
        files: names of weights in the installation's folder for models.
        free_disk: bytes, where the hub's cache lies; None where that is not known.
        free_memory: bytes; None where the system doesn't tell.
    """

    name: str
    setting: str
    choice: BackboneChoice
    files: list[str]
    free_disk: int | None
    free_memory: int | None

    @property
    def offer(self) -> Recommended | None:
        """The next better model, where it has room and nothing else is chosen."""
        rooms = ((self.free_disk, OFFERED.download), (self.free_memory, OFFERED.memory + OFFERED.download))
        fits = all(free is None or free > needed for free, needed in rooms)
        chosen = self.setting or self.choice.changed_at or self.choice.state not in ("", "cancelled", "failed")
        return OFFERED if fits and not chosen else None


def models(store: Store) -> Models:
    """Where things stand now, as this process sees it."""
    settings = get_settings()
    with store.session(read_only=True) as session:
        choice = read_choice(session)
        session.expunge_all()
    set_ = settings.backbone if settings.backbone_is_set else ""
    return Models(set_ or choice.name or settings.backbone, set_, choice, _files(), _free_disk(), free_memory())


def choose_model(store: Store, name: str, author: str) -> None:
    """Have a model brought in and put to use, in every process.

    Raises:
        BackboneIsSet: the environment names it.
        ChangeInProgress: another one is on its way.
        BadName: no name, or a file outside of the folder for models.
    """
    _require_choice()
    wanted = " ".join(name.split())
    if not 0 < len(wanted) <= _LONGEST or not wanted.isprintable():
        raise BadName(f"The name of a model has 1 to {_LONGEST} printable characters. Choose one of the list.")
    model, at, file = wanted.partition("@")
    with store.session(read_only=True) as session:
        back = wanted == read_choice(session).previous
    if at and not back and (any(sign in file for sign in "/\\") or file.startswith(".") or model.endswith(".json")):
        raise BadName(
            f"Files are chosen from {get_settings().models_folder.resolve()}: put it there, and write MODEL@FILE "
            "without a folder."
        )
    with store.session() as session:
        ask_for(session, wanted, author)


def cancel_change(store: Store) -> None:
    """The model on its way is not wanted any more; what was fetched of it is kept. Raises BackboneIsSet."""
    _require_choice()
    with store.session() as session:
        cancel(session)


def take_file(name: str, data: IO[bytes]) -> str:
    """Keep uploaded weights in the folder for models, whole or not at all.

    Returns:
        its name there.

    Raises:
        BadName: no name of weights.
        BackboneError: there is no room.
    """
    own = name.replace("\\", "/").rpartition("/")[2]
    if not own.endswith(KINDS) or own.startswith(".") or not own.isprintable() or "@" in own or len(own) > _LONGEST:
        raise BadName(f"A file of weights ends in one of {', '.join(KINDS)}, and has no @ in its name. Rename it.")
    folder = get_settings().models_folder
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{own}.part"
    try:
        with part.open("wb") as file:
            shutil.copyfileobj(data, file, 1 << 20)
        part.replace(folder / own)
    except OSError as error:
        raise BackboneError(
            f"The file could not be kept in {folder} ({error}). Make room, then send it again."
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return own


def _require_choice() -> None:
    settings = get_settings()
    if settings.backbone_is_set:
        raise BackboneIsSet(settings.backbone)


def _files() -> list[str]:
    folder = get_settings().models_folder
    return sorted(path.name for path in folder.glob("[!.]*") if path.suffix in KINDS) if folder.is_dir() else []


def _free_disk() -> int | None:
    """Where the hub's files go; the cache may not be there yet, and then lies in a folder above."""
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE)
    above = next((one for one in (folder, *folder.parents) if one.exists()), None)
    return shutil.disk_usage(above).free if above else None
