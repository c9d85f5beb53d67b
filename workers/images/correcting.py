"""What a person says of an image, as a new revision: a mask they drew, "normal", or "the prediction is right"."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from db.blobs import blob_key
from db.images.annotations import add_annotation, newest_annotation
from db.images.images import get_image
from db.images.predictions import active_prediction
from db.images.verdicts import criterion, verdict
from db.projects.projects import get_project
from db.store import Store
from db.tables.core import Annotation
from db.training.prompt_versions import get_version
from engine.detector.interest import full_map
from engine.images.decoding import stored_orientation
from engine.images.mask_files import doubt, encode_mask, read_marks
from workers.broker import dispatch
from workers.defects.naming import earlier, take_over_kinds
from workers.errors import MapChanged, NothingToAccept
from workers.scoring.interest import interest_of_map
from workers.scoring.maps import read_map, scored_image


def save_mask(
    store: Store, image_id: int, png: bytes, *, author: str = "local", expected_revision: int | None = None
) -> Annotation:
    """Keep a mask. One without a single anomalous pixel says that the image is normal.

    Args:
        store: where to.
        image_id: which image.
        png: a mask's file of exactly the image's size, see `engine.images.marks`.
        author: who drew it.
        expected_revision: the newest revision that the author has seen (0: none); None: whichever it is.

    Raises:
        NotFound: no such image.
        ImageError: not a mask of the image's size.
        Conflict: someone saved in between.
    """
    return save_mask_file(store, image_id, png, author=author, expected_revision=expected_revision)[0]


def save_mask_file(
    store: Store, image_id: int, data: bytes, *, author: str = "local", expected_revision: int | None = None
) -> tuple[Annotation, str]:
    """The same, and what the person should know of how the file was read, or be asked of it; mostly empty."""
    with store.session(read_only=True) as session:
        image = get_image(session, image_id)
    marked = read_marks(
        data,
        width=image.width,
        height=image.height,
        orientation=lambda: stored_orientation(store.blobs.get(image.blob_key)),
    )
    saved = _save(store, image_id, marked.pixels, source="drawn", author=author, expected_revision=expected_revision)
    return saved, " ".join([*marked.notes, doubt(saved.area, marked.pixels.size)]).strip()


def mark_normal(
    store: Store, image_id: int, *, author: str = "local", expected_revision: int | None = None
) -> Annotation:
    """Say that nothing in the image is anomalous. Raises NotFound, Conflict (see save_mask)."""
    return _save(store, image_id, None, source="marked_normal", author=author, expected_revision=expected_revision)


def mark_anomalous(
    store: Store, image_id: int, *, author: str = "local", expected_revision: int | None = None
) -> Annotation:
    """Say that something in the image is anomalous, without saying where. Raises NotFound, Conflict (see save_mask)."""
    return _save(
        store,
        image_id,
        None,
        source="marked_anomalous",
        author=author,
        expected_revision=expected_revision,
        label="anomalous",
    )


def accept(
    store: Store,
    image_id: int,
    *,
    author: str = "local",
    expected_revision: int | None = None,
    seen_version: int | None = None,
) -> Annotation:
    """Agree with the active prediction: by the project's rule, normal, or anomalous where the map reaches its.

    Args:
        store: where the image is.
        image_id: which.
        author: who agrees.
        expected_revision: see save_mask.
        seen_version: the number of the version whose map they saw; None: whichever is in use.

    Raises:
        MapChanged: another version is in use since.
        NotFound: no such image.
        NotReady: it is not scored yet.
        NothingToAccept: its score says anomalous, but no pixel of its map does.
        Conflict: someone saved in between.
    """
    image, prediction = scored_image(store, image_id)
    with store.session(read_only=True) as session:
        settings = get_project(session, image.project_id).settings
        number = get_version(session, prediction.prompt_version_id).number
        judged_by = criterion(session, prediction.prompt_version_id)
    if seen_version is not None and seen_version != number:
        raise MapChanged(seen_version, number)
    mask = None
    if verdict(prediction, judged_by) == "anomalous":
        interest = interest_of_map(store, prediction, image)
        anomaly_map = full_map(read_map(store, prediction), image.height, image.width, interest)
        mask = (anomaly_map >= settings["map_threshold"]).astype(np.uint8)
        if not mask.any():
            raise NothingToAccept(
                f"Image {image_id} scores {prediction.score:.2f}, which is anomalous, but no pixel of its map reaches "
                f"the map threshold {settings['map_threshold']:.2f}: there is no mask to accept. Draw one, mark the "
                "image normal, or lower the map threshold."
            )
    return _save(store, image_id, mask, source="accepted", author=author, expected_revision=expected_revision)


def take_over(
    store: Store,
    image_id: int,
    mask: npt.NDArray[np.uint8] | None,
    *,
    label: Literal["normal", "anomalous"],
    replace: bool,
    author: str,
) -> Literal["imported", "unchanged", "kept"]:
    """Keep a label that was made elsewhere, unless the image has one.

    Args:
        store: where to.
        image_id: which image.
        mask: (h, w) at the image's size, nonzero = anomalous; None: the image is normal, or nobody says where.
        label: normal or anomalous.
        replace: whether it takes the place of what was said here.
        author: who brings it.

    Returns:
        imported; unchanged, when the newest annotation says the same; kept, when it says something else and stays.

    Raises:
        NotFound: no such image.
        Conflict: someone saved in between.
    """
    mask_blob_key = None if mask is None else blob_key(encode_mask(mask))
    with store.session(read_only=True) as session:
        newest = newest_annotation(session, image_id)
    if newest is not None:
        if (newest.label, newest.mask_blob_key) == (label, mask_blob_key):
            return "unchanged"
        if not replace:
            return "kept"
    seen = newest.revision if newest else 0
    _save(store, image_id, mask, source="imported", author=author, expected_revision=seen, label=label)
    return "imported"


def _save(
    store: Store,
    image_id: int,
    mask: npt.NDArray[np.uint8] | None,
    *,
    source: str,
    author: str,
    expected_revision: int | None,
    label: str | None = None,
) -> Annotation:
    before = earlier(store, image_id)
    area = 0 if mask is None else int(np.count_nonzero(mask))
    png = encode_mask(mask) if mask is not None and area else None
    keys = [store.blobs.put(png)] if png is not None else []  # first the blob, then the row that names it
    with store.clearing_up(keys), store.session() as session:
        mask_blob_key = store.keep_until_named(session, png) if png is not None else None
        prediction = active_prediction(session, image_id)
        annotation = add_annotation(
            session,
            image_id=image_id,
            label=label or ("anomalous" if area else "normal"),
            mask_blob_key=mask_blob_key,
            area=area,
            source=source,
            author=author,
            prompt_version_id=prediction.prompt_version_id if prediction else None,
            expected_revision=expected_revision,
        )
        take_over_kinds(session, annotation, before, mask)
        project_id = get_image(session, image_id).project_id
    dispatch.request_queue_refresh(project_id)
    dispatch.request_previews(project_id)
    return annotation
