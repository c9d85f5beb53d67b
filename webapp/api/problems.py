"""Every error of the REST interface as an RFC 9457 problem document: what happened, why, what to do."""

import errno
import logging
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from db.clock import about_shared_now
from db.errors import BadCursor, BadText, BlobMissing, BlobsUnavailable, StorageFull
from settings import get_settings
from webapp.access.rate_limit import TooFast
from webapp.access.refusals import Refused
from webapp.texts import texts_of
from webapp.texts.translation import translated
from workers.errors import (
    AddressRefused,
    BackboneError,
    BackboneIsSet,
    BadKind,
    BadName,
    BadNaming,
    BadPassword,
    BadSetting,
    ChangeInProgress,
    Conflict,
    ImageError,
    KeyReused,
    KindInUse,
    LabelFileError,
    LoginLocked,
    LoginRefused,
    MapChanged,
    NameTaken,
    NoPreview,
    NotAwaiting,
    NotCorrected,
    NotFound,
    NothingToAccept,
    NothingToExport,
    NotReady,
    Overloaded,
    ProjectArchived,
    PromptError,
    RunInProgress,
    SecondPersonNeeded,
    TooFewCorrections,
    TooFewToCompare,
    UploadInProgress,
)
from workers.scoring.trouble import EngineTrouble

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
# Exception → status, last part of the problem's type, title.
_KNOWN: dict[type[Exception], tuple[int, str, str]] = {
    BadText: (422, "bad-text", "The text can't be kept"),
    BadCursor: (400, "bad-cursor", "The cursor can't be used"),
    NotFound: (404, "not-found", "There is no such thing"),
    Conflict: (409, "conflict", "Someone saved in between"),
    RunInProgress: (409, "run-in-progress", "A run is in progress"),
    NotAwaiting: (409, "not-awaiting", "The version waits for nobody"),
    SecondPersonNeeded: (409, "second-person-needed", "A second person decides"),
    UploadInProgress: (409, "upload-in-progress", "The upload is in progress"),
    NameTaken: (409, "name-taken", "The name is taken"),
    ProjectArchived: (409, "project-archived", "The project is archived"),
    KeyReused: (422, "key-reused", "The key stands for another upload"),
    BackboneIsSet: (409, "backbone-is-set", "The environment names the model"),
    ChangeInProgress: (409, "change-in-progress", "Another model is on its way"),
    AddressRefused: (422, "address-refused", "The address is not called"),
    BadName: (422, "bad-name", "The name can't be used"),
    BadKind: (422, "bad-kind", "The kind of defect can't be"),
    BadNaming: (422, "bad-naming", "The kinds don't fit the correction"),
    KindInUse: (409, "kind-in-use", "Corrections name the kind"),
    BadPassword: (422, "bad-password", "The password can't be used"),
    LoginRefused: (403, "wrong-password", "The password is wrong"),
    LoginLocked: (429, "login-locked", "Too many log-ins failed"),
    TooFast: (429, "too-fast", "Too much within a minute"),
    BadSetting: (422, "bad-setting", "The setting can't be used"),
    ImageError: (422, "unusable-image", "The image can't be used"),
    PromptError: (422, "unusable-prompts", "The prompts can't be used"),
    TooFewCorrections: (422, "too-few-corrections", "There are too few corrections"),
    NotCorrected: (422, "not-corrected", "Nobody has said what is right"),
    NoPreview: (404, "no-preview", "There is no preview"),
    TooFewToCompare: (404, "too-few-to-compare", "There are too few images to compare"),
    MapChanged: (409, "map-changed", "Another version came into use"),
    NothingToAccept: (422, "nothing-to-accept", "There is nothing to accept"),
    NothingToExport: (422, "nothing-to-export", "There is nothing to export"),
    LabelFileError: (422, "unusable-labels", "The file of labels can't be used"),
    NotReady: (503, "not-ready", "Not ready yet"),
    Overloaded: (503, "overloaded", "Too much at once"),
    EngineTrouble: (503, "engine-trouble", "The model can't score now"),
    BackboneError: (503, "no-backbone", "The backbone can't be used"),
    StorageFull: (507, "storage-full", "There is no room left"),
    BlobsUnavailable: (503, "storage-unavailable", "The place for files can't be used now"),
    BlobMissing: (500, "missing-file", "A stored file is missing"),
}
_STATUSES = {
    400: ("invalid-request", "The request is invalid"),
    404: ("not-found", "There is no such thing"),
    413: ("too-large", "The request is too large"),
    415: ("unsupported-media-type", "The kind of body is not supported"),
    422: ("invalid-request", "The request is invalid"),
}
_AGAIN = {"Retry-After": "2"}
# How the parser of forms begins, which stops at the first file too many.
_TOO_MANY_FILES = "Too many files."
# What an exception knows beyond its message, as members of the document.
_MEMBERS = ("current_revision", "run_id", "corrected", "needed", "missing")


def problem(
    request: Request,
    status: int,
    kind: str,
    title: str,
    detail: str,
    *,
    headers: dict[str, str] | None = None,
    **members: Any,
) -> JSONResponse:
    """A problem document, its detail in the language of whoever asks. `members` are added to it as they are."""
    document = {
        "type": f"urn:anomalyloop:problem:{kind}",
        "title": title,
        "status": status,
        # Half a character that a caller sent can't be sent back.
        "detail": translated(texts_of(request), detail).encode("utf-8", "backslashreplace").decode(),
        "instance": request.url.path,
        **members,
    }
    return JSONResponse(document, status, headers, MEDIA_TYPE)


def add_problem_handlers(app: FastAPI) -> None:
    """Have the app answer with problem documents, whatever goes wrong in it."""
    for kind in _KNOWN:
        app.add_exception_handler(kind, _known)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    for kind in (OperationalError, InterfaceError, PoolTimeout):
        app.add_exception_handler(kind, _database_away)
    app.add_exception_handler(OSError, _no_room)
    app.add_exception_handler(Exception, _unexpected)


async def _known(request: Request, error: Exception) -> JSONResponse:
    status, kind, title = next(value for known, value in _KNOWN.items() if isinstance(error, known))
    members = {name: getattr(error, name) for name in _MEMBERS if hasattr(error, name)}
    seconds = _seconds_to_wait(error)
    headers = {"Retry-After": str(seconds)} if seconds else None
    return problem(request, status, kind, title, str(error), headers=headers, **members)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    return refused(request, error)


def refused(request: Request, error: Refused) -> JSONResponse:
    """The problem document for someone who may not do what they ask for."""
    return problem(request, 403, error.kind, error.title, error.said(texts_of(request)))


def _seconds_to_wait(error: Exception) -> int | None:
    """After how long the same request may do; None: it may not, however long one waits."""
    if isinstance(error, NotReady | BlobsUnavailable | UploadInProgress | EngineTrouble):
        return 2
    if isinstance(error, Overloaded):
        return 1
    if isinstance(error, TooFast):
        return error.seconds
    return max(1, round((error.until - about_shared_now()).total_seconds())) if isinstance(error, LoginLocked) else None


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    faults = [{"at": ".".join(str(part) for part in fault["loc"]), "fault": fault["msg"]} for fault in error.errors()]
    detail = "The request can't be understood. " + "; ".join(f"{fault['at']}: {fault['fault']}" for fault in faults)
    return problem(
        request,
        422,
        "invalid-request",
        "The request is invalid",
        f"{detail}. See /docs for what is expected.",
        errors=faults,
    )


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if str(error.detail).startswith(_TOO_MANY_FILES):
        most = get_settings().max_files
        detail = f"The request has over {most} files. Send them in parts, or raise ANOMALYLOOP_MAX_FILES."
        return problem(request, 413, *_STATUSES[413], detail)
    kind, title = _STATUSES.get(error.status_code, ("http-error", HTTPStatus(error.status_code).phrase))
    headers = dict(error.headers) if error.headers else None
    return problem(request, error.status_code, kind, title, str(error.detail), headers=headers)


async def _database_away(request: Request, error: Exception) -> JSONResponse:
    """SQLite says that its disk is full in words only."""
    cause = str(getattr(error, "orig", None) or error).strip()
    logger.error("%s %s failed: the database can't be used (%s)", request.method, request.url.path, cause)
    detail = (
        f"The database can't be used now ({cause}). What was saved before is safe; this was not saved. Try again in a "
        "moment; the server finds the database again by itself."
    )
    full = "disk is full" in cause
    status, kind, title = (
        (507, "storage-full", "There is no room left")
        if full
        else (503, "no-database", "The database can't be used now")
    )
    return problem(request, status, kind, title, detail, headers=_AGAIN)


async def _no_room(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, OSError) or error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return await _unexpected(request, error)
    detail = f"A disk of the server is full ({error}). This was not saved. Make room there, then try again."
    return problem(request, 507, "storage-full", "There is no room left", detail, headers=_AGAIN)


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    # The request's id, which the caller knows too.
    reference = getattr(request.state, "request_id", None) or uuid4().hex[:16]
    logger.error("%s %s failed (reference %s)", request.method, request.url.path, reference, exc_info=error)
    detail = f"The server met an error that it did not expect. Its log tells more under the reference {reference}."
    return problem(request, 500, "unexpected", "Unexpected error", detail, reference=reference)
