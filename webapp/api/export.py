"""`/export`: a project's images, masks and scores as a zip."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from webapp.access.projects import ProjectsDep
from webapp.api.dependencies import StoreDep
from workers.exchange.exporting import export_zip, safe_folder
from workers.projects.shipped_prompts import DEFAULT_PROJECT

router = APIRouter(prefix="/export", tags=["import and export"])


@router.get("", response_class=StreamingResponse, responses={200: {"content": {"application/zip": {}}}})
def get_export(
    store: StoreDep,
    projects: ProjectsDep,
    project: str = DEFAULT_PROJECT,
    format: Literal["mvtec", "coco", "masks", "csv"] = "mvtec",
    image: Annotated[list[int] | None, Query(description="Only these images; repeat it for several.")] = None,
) -> StreamingResponse:
    """A zip, sent while it is made.

    `mvtec`, `masks` and `coco` hold the corrected images, their masks and a table with their scores; unpacked, the
    first two are read by `python -m engine evaluate` (`--dataset mvtec_like`, `--dataset folder`). `csv` holds one
    table of all images. What could not be read is named in `problems.txt`.
    """
    found = projects.named(project)
    name = f"{safe_folder(found.name)}-{format}.zip".encode("ascii", "replace").decode().replace("?", "_")
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return StreamingResponse(export_zip(store, found.id, format, image), media_type="application/zip", headers=headers)
