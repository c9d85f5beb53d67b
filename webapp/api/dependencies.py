"""What the endpoints are given: the store, the settings, the language, and limits; projects are `access.projects`'."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, HTTPException, Path
from pydantic import AfterValidator, AwareDatetime

from db.store import Store
from settings import Settings, get_settings
from webapp.texts import Texts, texts_of
from workers.context import get_store

StoreDep = Annotated[Store, Depends(get_store)]
SettingsDep = Annotated[Settings, Depends(get_settings)]
# For what is said to people: in the language of the page, or as a client prefers.
TextsDep = Annotated[Texts, Depends(texts_of)]


def _in_the_calendar(when: datetime) -> datetime:
    try:
        return when.astimezone(UTC)
    except OverflowError:
        raise ValueError("it lies beyond the years 1 to 9999 in UTC") from None


# A time with its zone, which has one in UTC too.
Moment = Annotated[AwareDatetime, AfterValidator(_in_the_calendar)]
# A row's id in a path.
Id = Annotated[int, Path(ge=1, le=2**63 - 1)]


def require_acceptable_size(size: int | None, settings: Settings) -> None:
    """A 413 problem for a file over the limit, before it is read into memory."""
    if (size or 0) > settings.max_upload_mb * 1e6:
        raise HTTPException(
            413,
            f"The file has {(size or 0) / 1e6:.1f} MB and the limit is {settings.max_upload_mb:g} MB. "
            "Send a smaller one, or raise ANOMALYLOOP_MAX_UPLOAD_MB.",
        )


def require_few(count: int, settings: Settings) -> None:
    """A 413 problem for more files in one request than the limit."""
    if count > settings.max_files:
        raise HTTPException(
            413,
            f"The request has {count} files and the limit is {settings.max_files}. "
            "Send them in parts, or raise ANOMALYLOOP_MAX_FILES.",
        )
