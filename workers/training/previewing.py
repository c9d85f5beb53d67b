"""After a correction: what the corrections so far make of the images that come next, shown before any run judges it.

A detector is fitted to the newest corrections in a second or two, and kept for the images that someone opens
afterwards. Where that fails, corrections are saved all the same, nothing is shown, and the log says why.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from db.images.images import get_image
from db.images.newest_annotations import last_annotations
from db.images.pages import list_images
from db.images.previews import NewPreview, drop_previews, save_previews
from db.store import Store
from db.tables.core import Image
from db.training.runs import live_run
from engine.detector.maps import map_to_npy
from workers.errors import NotFound
from workers.operations.first_imports import heavy_imports
from workers.scoring.engine_host import get_engine

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from workers.training.preview_fitting import Fitted

logger = logging.getLogger(__name__)

# Images of the queue that are looked at after a correction, beside the one that was corrected.
NEXT_IMAGES = 8
# One fit at a time; whoever waits for it finds it done.
_lock = threading.Lock()
# (Database, project) → what its previews were made by last.
_shown: dict[tuple[str, int], "Fitted"] = {}


def refresh_previews(store: Store, project_id: int) -> None:
    """Bring the previews of a project in line with its corrections, unless they are. Raises nothing."""
    _guarded(store, project_id, lambda: _refresh(store, project_id))


def preview_images(store: Store, project_id: int, image_ids: Sequence[int]) -> None:
    """Someone looks at these images: preview them too. Raises nothing."""
    if image_ids:
        _guarded(store, project_id, lambda: _preview(store, project_id, image_ids))


def forget_previews(store: Store, project_id: int) -> None:
    """Another version is in service: what was shown before it says nothing any more."""
    with store.session() as session:
        dropped = drop_previews(session, project_id)
    if dropped:
        store.delete_blobs(dropped)


def _guarded(store: Store, project_id: int, work: Callable[[], None]) -> None:
    try:
        with _lock:
            work()
    except Exception:
        logger.exception("Project %d has no previews. Its corrections are saved; a run learns from them.", project_id)
        try:
            forget_previews(store, project_id)
        except Exception:  # the database is away, as was told above
            logger.debug("The earlier previews of project %d stay.", project_id, exc_info=True)


def _refresh(store: Store, project_id: int) -> None:
    with store.session(read_only=True) as session:
        if live_run(session, project_id) is not None:
            return  # the run says more in some seconds, and needs the cores; who opens an image still gets its preview
    fitted = _fitted_for(store, project_id)
    if fitted is None or fitted.detector is None:
        forget_previews(store, project_id)
        return
    key = (str(store.database.engine.url), project_id)
    if _shown.get(key) is not fitted:
        with store.session(read_only=True) as session:
            images = _images_to_show(session, project_id)
        _save(store, project_id, fitted, images, drop_others=True)
        _shown[key] = fitted


def _preview(store: Store, project_id: int, image_ids: Sequence[int]) -> None:
    fitted = _fitted_for(store, project_id)
    if fitted is not None and fitted.detector is not None:
        with store.session(read_only=True) as session:
            images = list(_existing(session, image_ids))
        _save(store, project_id, fitted, images)


def _fitted_for(store: Store, project_id: int) -> "Fitted | None":
    get_engine()
    with heavy_imports:
        from workers.training.preview_fitting import fitted_for
    return fitted_for(store, project_id)


def _existing(session: "Session", image_ids: Sequence[int]) -> Iterator[Image]:
    for image_id in image_ids:
        try:
            yield get_image(session, image_id)
        except NotFound:  # deleted meanwhile
            continue


def _images_to_show(session: "Session", project_id: int) -> list[Image]:
    """The one that was corrected last, which someone may still look at, and those that come next."""
    [last] = last_annotations(session, project_id, 1)
    waiting = list_images(session, project_id, status="to_review", order="uncertain", limit=NEXT_IMAGES).items
    return [last.image, *(row.image for row in waiting)]


def _save(
    store: Store, project_id: int, fitted: "Fitted", images: Sequence[Image], *, drop_others: bool = False
) -> None:
    from workers.training.preview_fitting import scored_by

    assert fitted.detector is not None
    made = [(image, one.score, map_to_npy(one.anomaly_map)) for image, one in scored_by(store, fitted.detector, images)]
    keys = [store.blobs.put(data) for _, _, data in made]
    with store.clearing_up(keys) as left, store.session() as session:
        if drop_others:
            left.update(drop_previews(session, project_id))
        previews = [NewPreview(image.id, score, store.keep_until_named(session, data)) for image, score, data in made]
        left.update(save_previews(session, project_id, fitted.version_id, previews, fitted.corrections))
