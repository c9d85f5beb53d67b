"""Answers that a browser may keep but has to ask about: a 304 when what it has is still right."""

from collections.abc import Callable

from fastapi import Request, Response


def revalidated(
    request: Request, etag: str, media_type: str, body: Callable[[], bytes], headers: dict[str, str] | None = None
) -> Response:
    """The bytes, or 304 where the browser has those of this `etag` already; then `body` is not called."""
    tag = f'"{etag}"'
    # nosniff: uploads are shown as what they are declared, never as a page.
    common = {"ETag": tag, "Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff", **(headers or {})}
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if tag in known:
        return Response(status_code=304, headers=common)
    return Response(body(), media_type=media_type, headers=common)
