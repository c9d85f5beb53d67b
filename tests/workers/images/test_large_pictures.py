"""Whatever decodes a picture in the page or a worker takes room for it first."""

import numpy as np
import pytest

from db.images.images import get_image
from tests.conftest import Installation
from tests.workers.making import add
from workers.images.pictures import thumbnail_bytes
from workers.images.pixel_rooms import DECODING, SHOWING
from workers.scoring.maps import encode_full_map
from workers.scoring.scorer import score_images


def test_room_is_taken_by_uploads_scores_thumbnails_and_maps(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []
    for name, room in (("decoding", DECODING), ("showing", SHOWING)):
        take = room.take
        monkeypatch.setattr(
            room, "take", lambda pixels, name=name, take=take: taken.append(f"{name} {pixels}") or take(pixels)
        )
    store, decoding, showing = installation.store, f"decoding {90 * 70}", f"showing {90 * 70}"
    image_id = add(installation)
    assert taken == [decoding]
    score_images(store, [image_id])
    assert taken == [decoding] * 2
    with store.session(read_only=True) as session:
        image = get_image(session, image_id)
    thumbnail_bytes(store, image)
    assert taken[2:] == [showing, decoding]
    encode_full_map(np.zeros((8, 8), np.float32), image, "npy")
    assert taken[4:] == [showing]
