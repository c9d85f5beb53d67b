"""Every error of the REST interface as an RFC 9457 problem document: what happened, why, what to do."""

import logging
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from db.errors import BadCursor, BlobMissing
from webapp.texts import texts_of
from webapp.texts.sentences import said
from workers.errors import (
    BackboneError,
    BadName,
    BadSetting,
    Conflict,
    ImageError,
    LabelFileError,
    NameTaken,
    NotFound,
    NothingToAccept,
    NothingToExport,
    NotReady,
    ProjectArchived,
    PromptError,
    RunInProgress,
    TooFewCorrections,
)

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
# Exception → status, last part of the problem's type, title.
_KNOWN: dict[type[Exception], tuple[int, str, str]] = {
    BadCursor: (400, "bad-cursor", "The cursor can't be used"),
    NotFound: (404, "not-found", "There is no such thing"),
    Conflict: (409, "conflict", "Someone saved in between"),
    RunInProgress: (409, "run-in-progress", "A run is in progress"),
    NameTaken: (409, "name-taken", "The name is taken"),
    ProjectArchived: (409, "project-archived", "The project is archived"),
    BadName: (422, "bad-name", "The name can't be used"),
    BadSetting: (422, "bad-setting", "The setting can't be used"),
    ImageError: (422, "unusable-image", "The image can't be used"),
    PromptError: (422, "unusable-prompts", "The prompts can't be used"),
    TooFewCorrections: (422, "too-few-corrections", "There are too few corrections"),
    NothingToAccept: (422, "nothing-to-accept", "There is nothing to accept"),
    NothingToExport: (422, "nothing-to-export", "There is nothing to export"),
    LabelFileError: (422, "unusable-labels", "The file of labels can't be used"),
    NotReady: (503, "not-ready", "Not ready yet"),
    BackboneError: (503, "no-backbone", "The backbone can't be used"),
    BlobMissing: (500, "missing-file", "A stored file is missing"),
}
_STATUSES = {
    400: ("invalid-request", "The request is invalid"),
    404: ("not-found", "There is no such thing"),
    413: ("too-large", "The request is too large"),
    415: ("unsupported-media-type", "The kind of body is not supported"),
    422: ("invalid-request", "The request is invalid"),
}
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
        "detail": said(texts_of(request), detail),
        "instance": request.url.path,
        **members,
    }
    return JSONResponse(document, status, headers, MEDIA_TYPE)


def add_problem_handlers(app: FastAPI) -> None:
    """Have the app answer with problem documents, whatever goes wrong in it."""
    for kind in _KNOWN:
        app.add_exception_handler(kind, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


async def _known(request: Request, error: Exception) -> JSONResponse:
    status, kind, title = next(value for known, value in _KNOWN.items() if isinstance(error, known))
    members = {name: getattr(error, name) for name in _MEMBERS if hasattr(error, name)}
    headers = {"Retry-After": "2"} if isinstance(error, NotReady) else None
    return problem(request, status, kind, title, str(error), headers=headers, **members)


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
    kind, title = _STATUSES.get(error.status_code, ("http-error", HTTPStatus(error.status_code).phrase))
    headers = dict(error.headers) if error.headers else None
    return problem(request, error.status_code, kind, title, str(error.detail), headers=headers)


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    reference = uuid4().hex[:12]
    logger.error("%s %s failed (reference %s)", request.method, request.url.path, reference, exc_info=error)
    detail = f"The server met an error that it did not expect. Its log tells more under the reference {reference}."
    return problem(request, 500, "unexpected", "Unexpected error", detail, reference=reference)
