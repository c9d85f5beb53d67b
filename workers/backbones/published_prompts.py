"""The prompts that the paper's authors published, fetched from their repository and checked by their git blob."""

import hashlib
from dataclasses import dataclass

import httpx

from db.store import Store
from db.tables.core import PromptVersion
from settings import get_settings
from workers.errors import PromptError
from workers.operations.readiness import engine_in_use
from workers.training.promoting import import_prompts

BACKBONE = "ViT-L-14-336-quickgelu"
_COMMIT = "45ed4dd35c05797d854294b5e8d585c545920089"
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_LARGEST = 100_000_000


@dataclass(frozen=True)
class Published:
    """One of their files.

    Attributes:
        path: in the repository.
        tuned_on: which data.
        licence: of that data.
        blob: what git calls its bytes.
    """

    path: str
    tuned_on: str
    licence: str
    blob: str


PUBLISHED = {
    "visa": Published(
        "checkpoints/9_12_4_multiscale/epoch_15.pth",
        "VisA's test split",
        "CC BY 4.0",
        "c90f1d9d92d158b436a8fc193f984d4cec8b1fc8",
    ),
    "mvtec": Published(
        "checkpoints/9_12_4_multiscale_visa/epoch_15.pth",
        "MVTec AD's test split",
        "CC BY-NC-SA 4.0",
        "72adc786e031b49ea288ba5f815f0d38cf158708",
    ),
}


def import_published(store: Store, project_id: int, key: str, *, author: str = "local") -> PromptVersion:
    """Fetch one of the files and add it as a candidate; it is activated apart.

    Args:
        store: where to.
        project_id: whose it becomes.
        key: of `PUBLISHED`.
        author: who wants it.

    Raises:
        NotFound: no such project.
        PromptError: the model in use is another one than it was tuned for; or the file can't be had, or is another.
        BackboneError: there is no engine to check it against.
    """
    wanted = PUBLISHED[key]
    name = str(engine_in_use()["name"])
    if not name.startswith(BACKBONE):
        raise PromptError(
            f"The authors' prompts are for ViT-L/14@336, and {name or 'no model'} is in use. Put {BACKBONE}/openai to "
            "use first."
        )
    data = _fetched(wanted)
    told = f"{wanted.path}, published by the authors, tuned on {wanted.tuned_on} ({wanted.licence})"
    return import_prompts(store, project_id, told, data, author=author)


def _fetched(wanted: Published) -> bytes:
    """The file's bytes, which are those that git knows by its name. Raises PromptError."""
    url = f"{get_settings().published_url.rstrip('/')}/{_COMMIT}/{wanted.path}"
    try:
        data = bytearray()
        with httpx.stream("GET", url, timeout=_TIMEOUT, follow_redirects=True) as answer:
            answer.raise_for_status()
            for chunk in answer.iter_bytes():
                data += chunk
                if len(data) > _LARGEST:
                    break
    except httpx.HTTPError as error:
        reason = next(iter(str(error).splitlines()), "")
        raise PromptError(
            f"The authors' file could not be fetched from {url} ({type(error).__name__}: {reason}). Try again, see "
            "HTTPS_PROXY, or download it elsewhere and import it under Train."
        ) from error
    found = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    if found != wanted.blob:
        raise PromptError(
            f"What {url} sent is not the authors' file ({len(data):,} bytes, git blob {found[:12]}… in place of "
            f"{wanted.blob[:12]}…). Nothing of it was kept. Try again, or import it under Train from another place."
        )
    return bytes(data)
