"""The anomaly map over REST: as an array, as a picture, at the model's resolution."""

import io

import numpy as np
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import update

from db.tables.core import PromptVersion
from engine.detector.maps import resize_map
from engine.detector.standing_out import FEWEST
from tests.conftest import Installation
from tests.pictures import mask_png
from tests.webapp.rest import assert_problem, kept, scored
from tests.workers.making import activate_copy
from workers.scoring import unlike_others
from workers.scoring.scorer import score_unscored
from workers.training.previewing import refresh_previews


def test_the_map_is_a_float32_array_of_the_images_size(client: TestClient, installation: Installation) -> None:
    image_id = scored(client, installation)
    answer = client.get(f"/api/v1/images/{image_id}/map")
    values = np.load(io.BytesIO(answer.content), allow_pickle=False)
    assert values.dtype == np.float32 and values.shape == (70, 90)
    assert 0 <= values.min() < values.max() <= 1
    assert answer.headers["x-prompt-version"] == "1"


def test_the_png_is_the_same_map_in_16_bits(client: TestClient, installation: Installation) -> None:
    image_id = scored(client, installation)
    values = np.load(io.BytesIO(client.get(f"/api/v1/images/{image_id}/map?format=npy").content))
    picture = Image.open(io.BytesIO(client.get(f"/api/v1/images/{image_id}/map?format=png").content))
    np.testing.assert_allclose(np.asarray(picture) / 65535, values, atol=1 / 65535)


def test_the_grid_is_the_map_at_the_models_resolution(client: TestClient, installation: Installation) -> None:
    image_id = scored(client, installation)
    answer = client.get(f"/api/v1/images/{image_id}/map?format=grid")
    shape = int(answer.headers["x-map-height"]), int(answer.headers["x-map-width"])
    grid = np.frombuffer(answer.content, "<f4").reshape(shape)
    assert shape == (64, 64)
    full = np.load(io.BytesIO(client.get(f"/api/v1/images/{image_id}/map").content))
    np.testing.assert_array_equal(resize_map(grid, 70, 90), full)


def test_an_image_without_a_score_says_to_ask_again(client: TestClient) -> None:
    answer = client.get(f"/api/v1/images/{kept(client)}/map")
    assert_problem(answer, 503, "not-ready", "not scored yet")
    assert answer.headers["retry-after"]


def test_until_the_active_prompts_have_scored_an_image_its_map_is_that_of_the_prompts_before(
    client: TestClient, installation: Installation
) -> None:
    url = f"/api/v1/images/{scored(client, installation)}/map"
    before = client.get(url)
    activate_copy(installation)

    between = client.get(url)
    assert (between.content, between.headers["x-prompt-version"]) == (before.content, "1")
    score_unscored(installation.store, installation.project_id, limit=100)
    assert client.get(url).headers["x-prompt-version"] == "2"


def test_a_browser_that_has_the_map_is_told_so(client: TestClient, installation: Installation) -> None:
    url = f"/api/v1/images/{scored(client, installation)}/map?format=grid"
    answer = client.get(url)
    again = client.get(url, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.headers["x-prompt-version"]) == (304, "1")


def test_a_format_that_does_not_exist_is_a_problem(client: TestClient, installation: Installation) -> None:
    url = f"/api/v1/images/{scored(client, installation)}/map?format=bmp"
    assert_problem(client.get(url), 422, "invalid-request", "format")


def test_a_preview_has_a_map_of_its_own_and_the_image_tells_of_it(
    client: TestClient, installation: Installation
) -> None:
    first, second = scored(client, installation, seed=1), scored(client, installation, seed=2)
    assert client.get(f"/api/v1/images/{second}").json()["preview"] is None
    assert_problem(client.get(f"/api/v1/images/{second}/map?preview=true"), 404, "no-preview", "Correct an image")

    client.put(f"/api/v1/images/{first}/annotation", files={"mask": mask_png()})
    refresh_previews(installation.store, installation.project_id)

    told = client.get(f"/api/v1/images/{second}").json()
    assert told["preview"]["corrections"] == 1 and 0 <= told["preview"]["score"] <= 1 and told["preview"]["created_at"]
    assert told["parts"] == ["prompts"]
    preview = client.get(f"/api/v1/images/{second}/map?preview=true")
    values = np.load(io.BytesIO(preview.content))
    assert values.shape == (70, 90) and 0 <= values.min() < values.max() <= 1
    assert preview.headers["etag"] != client.get(f"/api/v1/images/{second}/map").headers["etag"]


def test_the_prompts_own_map_can_be_asked_for(client: TestClient, installation: Installation) -> None:
    image_id = scored(client, installation)
    whole = np.load(io.BytesIO(client.get(f"/api/v1/images/{image_id}/map").content))
    alone = np.load(io.BytesIO(client.get(f"/api/v1/images/{image_id}/map?part=prompts").content))
    np.testing.assert_allclose(whole, alone, atol=1e-6)  # this version has learnt nothing besides its prompts
    assert_problem(client.get(f"/api/v1/images/{image_id}/map?part=prompts&preview=true"), 422, "invalid-request")


def test_what_is_unlike_the_others_has_a_map_once_there_are_enough(
    client: TestClient, installation: Installation
) -> None:
    ids = [kept(client, seed=seed) for seed in range(FEWEST - 1)]
    score_unscored(installation.store, installation.project_id, limit=100)
    url = f"/api/v1/images/{ids[0]}/map?part=unlike_others"
    assert client.get(f"/api/v1/images/{ids[0]}").json()["unlike_others"] is False
    assert_problem(client.get(url), 404, "too-few-to-compare", f"needs {FEWEST} scored images")

    scored(client, installation, seed=FEWEST)
    assert client.get(f"/api/v1/images/{ids[0]}").json()["unlike_others"] is True
    answer = client.get(url)
    values = np.load(io.BytesIO(answer.content))
    assert values.shape == (70, 90) and 0 <= values.min() < values.max() < 1
    assert client.get(url, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    assert_problem(client.get(f"{url}&preview=true"), 422, "invalid-request")
    scored(client, installation, seed=FEWEST + 1)
    assert client.get(url).headers["etag"] != answer.headers["etag"], "it is held against another one too"

    activate_copy(installation)  # as a run would: what has learnt has rarity among its inputs
    with installation.store.session() as session:
        session.execute(
            update(PromptVersion)
            .where(PromptVersion.state == "active")
            .values(metrics={"parts": ["prompts", "refiner"]})
        )
    score_unscored(installation.store, installation.project_id, limit=100)
    assert client.get(f"/api/v1/images/{ids[0]}").json()["unlike_others"] is False
    assert_problem(client.get(url), 404, "too-few-to-compare")


def test_the_page_asks_for_as_many_as_the_engine_needs() -> None:
    assert unlike_others.FEWEST == FEWEST
