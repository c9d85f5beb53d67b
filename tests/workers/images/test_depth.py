"""One rule for all of a project's images of more than 8 bits, set by the first, changed by people."""

import io

import numpy as np
import pytest
from PIL import Image

from db.images.images import get_image
from db.images.rows import count_by_status
from db.projects.depth import depth_of
from db.projects.projects import get_project
from tests.conftest import Installation
from tests.pictures import encoded, png
from workers.errors import BadSetting
from workers.images.intake import add_upload
from workers.images.pictures import display_picture, thumbnail_bytes
from workers.projects.changes import change_project
from workers.scoring.scorer import score_unscored

RAMP = np.linspace(0, 4095, 90 * 70).reshape(70, 90).astype(np.uint16)


def deep(installation: Installation, values: np.ndarray, name: str = "deep.png") -> int:
    data = encoded(Image.fromarray(values))
    return add_upload(installation.store, installation.project_id, name, data).image_id


def shown(installation: Installation, image_id: int) -> np.ndarray:
    with installation.store.session(read_only=True) as session:
        image = get_image(session, image_id)
    return np.asarray(Image.open(io.BytesIO(display_picture(installation.store, image).encode())).convert("L"))


def rule(installation: Installation) -> tuple[float, float] | None:
    with installation.store.session(read_only=True) as session:
        return depth_of(get_project(session, installation.project_id))


def test_the_first_deep_image_sets_the_rule_and_exposure_stays_comparable(installation: Installation) -> None:
    add_upload(installation.store, installation.project_id, "8.png", png())
    assert rule(installation) is None
    bright, dark = deep(installation, RAMP), deep(installation, RAMP // 4)
    assert rule(installation) == (0, 4095)
    assert shown(installation, bright).max() == 255 and shown(installation, dark).max() == 64


def test_another_rule_has_deep_images_seen_and_scored_anew_and_no_others(installation: Installation) -> None:
    store, project_id = installation.store, installation.project_id
    add_upload(store, project_id, "8.png", png())
    image_id = deep(installation, RAMP // 4)
    score_unscored(store, project_id, limit=10)
    before = shown(installation, image_id)
    with store.session(read_only=True) as session:
        key, thumbnail = get_image(session, image_id).seen_key, thumbnail_bytes(store, get_image(session, image_id))

    change_project(store, project_id, settings={"depth": [0, 1023]})

    with store.session(read_only=True) as session:
        assert count_by_status(session, project_id)["unscored"] == 1
        image = get_image(session, image_id)
    assert image.depth == "0.0:1023.0" and image.seen_key != key
    assert before.max() == 64 and shown(installation, image_id).max() == 255
    assert thumbnail_bytes(store, image) != thumbnail
    assert score_unscored(store, project_id, limit=10) == 1
    assert deep(installation, RAMP // 5) and rule(installation) == (0, 1023)


@pytest.mark.parametrize("depth", [[5, 5], [7], "0:9", [0, None], [0, float("nan")]])
def test_a_rule_that_is_none_is_refused(installation: Installation, depth: object) -> None:
    with pytest.raises(BadSetting, match="depth"):
        change_project(installation.store, installation.project_id, settings={"depth": depth})
    assert rule(installation) is None


def test_names_are_found_in_any_form_and_shown_as_they_came(installation: Installation) -> None:
    from db.images.filters import ImageFilter
    from db.images.pages import list_images

    name = "Gru\u0308n_용접.PNG"
    add_upload(installation.store, installation.project_id, name, png())
    with installation.store.session(read_only=True) as session:
        for part in ("GRÜN", "grün_용", "용접", "gru\u0308n", ".png"):
            found = list_images(session, installation.project_id, wanted=ImageFilter(name=part)).items
            assert [row.image.file_name for row in found] == [name], part
