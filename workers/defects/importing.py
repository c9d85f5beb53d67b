"""Kinds of defect that came with labels made elsewhere: found in the project's book by name, or added to it."""

from collections.abc import Sequence

from db.defects.kinds import kind_named
from db.defects.naming import named_regions
from db.images.annotations import newest_annotation
from db.images.images import get_image
from db.store import Store
from workers.defects.naming import Naming, name_defects

# Name, and x and y of a pixel of the region; None: of the image as a whole.
NamedPixel = tuple[str, int | None, int | None]


def take_kinds(store: Store, image_id: int, kinds: Sequence[NamedPixel], *, replace: bool) -> bool:
    """Name the regions of the newest correction of an image, unless some are named and may not be replaced.

    Returns:
        whether that changed anything.

    Raises:
        NotFound: no such image.
        BadKind: a name that no kind can have.
        BadNaming: a pixel that is not marked.
        Conflict: someone saved in between.
    """
    with store.session() as session:
        newest = newest_annotation(session, image_id)
        if newest is None:
            return False
        before = {(one.kind_id, one.x, one.y) for one in named_regions(session, [newest.id]).get(newest.id, [])}
        if before and not replace:
            return False
        project_id = get_image(session, image_id).project_id
        wanted = [Naming(kind_named(session, project_id, name).id, x, y) for name, x, y in kinds]
    if before == {(one.kind_id, one.x, one.y) for one in wanted}:
        return False
    name_defects(store, image_id, wanted, None, expected_revision=newest.revision)
    return True
