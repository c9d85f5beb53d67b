"""`/images/{id}/golden`: which images no version learns from, and every candidate is held to."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from db.images.rows import get_image_row
from webapp.api.dependencies import Id, StoreDep, TextsDep
from webapp.api.image_view import ImageView, image_views
from workers.training.golden import choose_golden

router = APIRouter(prefix="/images", tags=["golden set"])


class Golden(BaseModel):
    """Whether an image is in the golden set."""

    model_config = ConfigDict(extra="forbid")

    golden: bool


@router.put("/{image_id}/golden")
def put_golden(store: StoreDep, say: TextsDep, image_id: Id, wanted: Golden) -> ImageView:
    """Add a corrected image to the golden set of its project, or take it out.

    Nothing is learnt from golden images. A run's candidate that judges one wrong which the version in use judges right
    is refused, and the run names the image (`metrics.golden.worse`). 422, not-corrected, where nobody has said what is
    right.
    """
    choose_golden(store, image_id, wanted.golden)
    with store.session(read_only=True) as session:
        return image_views(session, [get_image_row(session, image_id)], say)[0]
