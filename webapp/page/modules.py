"""`/ui/VERSION/…`: the browser's modules, kept by it for good, as another version has other addresses."""

from fastapi import APIRouter, Response

from webapp.ui.assets import modules, version

router = APIRouter(include_in_schema=False)


@router.get("/ui/{asked}/{name:path}")
def get_module(asked: str, name: str) -> Response:
    """One module; 404 where there is none of that version, and the page has to be loaded anew."""
    data = modules().get(name)
    if asked != version() or data is None:
        return Response("There is no such module. Load the page anew.", 404, media_type="text/plain")
    headers = {"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    return Response(data, media_type="text/javascript", headers=headers)
