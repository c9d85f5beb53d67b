"""A project's regions of interest: read from a file or drawn, used from now on, and removed."""

from typing import Literal

import numpy as np

from db.projects.interest import remove_region_of_interest, set_region_of_interest
from db.projects.projects import get_project
from db.store import Store
from db.tables.interest import RegionOfInterest
from engine.images.decoding import orientation_of
from engine.images.mask_files import encode_mask, read_marks
from engine.images.opening import open_measured
from workers.broker import dispatch
from workers.errors import BadSetting

# What the marked pixels of a mask are.
Marks = Literal["interest", "ignore"]
_MAX_PIXELS = 100_000_000


def use_region_of_interest(
    store: Store, project_id: int, data: bytes, *, marks: Marks, station: str = "", author: str = "local"
) -> RegionOfInterest:
    """Use a mask from now on: images of its proportions count where it says so, and are scored anew.

    Args:
        store: where to.
        project_id: whose images.
        data: a mask's file, of any size; see `engine.images.marks`.
        marks: whether what it marks counts, or is ignored.
        station: where the images were taken that it is for; "": all that have no region of their own.
        author: who drew it.

    Raises:
        NotFound: no such project.
        ImageError: not a mask.
        BadSetting: nothing would count.
    """
    with store.session(read_only=True) as session:
        get_project(session, project_id)
    width, height = _size_of(data)
    marked = read_marks(data, width=width, height=height).pixels > 0
    counts = marked if marks == "interest" else ~marked
    if not counts.any():
        raise BadSetting(
            "By this mask no pixel counts, and nothing would ever be found. White is what it marks: say whether that "
            "counts (interest) or is ignored (ignore)."
        )
    png = encode_mask(counts)
    keys = [store.blobs.put(png)]
    with store.clearing_up(keys) as left, store.session() as session:
        row, replaced = set_region_of_interest(
            session,
            project_id,
            station,
            mask_blob_key=store.keep_until_named(session, png),
            width=width,
            height=height,
            area=int(np.count_nonzero(counts)),
            author=author,
        )
        left.update(replaced)
    dispatch.request_rescoring(project_id)
    return row


def drop_region_of_interest(store: Store, project_id: int, station: str = "") -> None:
    """Images count again as they did without it, and are scored anew. Raises NotFound."""
    with store.clearing_up([]) as left, store.session() as session:
        left.update(remove_region_of_interest(session, project_id, station))
    dispatch.request_rescoring(project_id)


def _size_of(data: bytes) -> tuple[int, int]:
    """Width and height of an upright mask. Raises ImageError."""
    image = open_measured(data, _MAX_PIXELS, any_shape=True)
    turned = image.format != "TIFF" and orientation_of(image, data) >= 5
    return (image.height, image.width) if turned else (image.width, image.height)
