"""No path that a user sends reaches the file system: not by ours, and not by Gradio's routes."""

from pathlib import Path

import pytest

from tests.conftest import Installation
from tests.pictures import png
from tests.webapp.people import People

SECRET = "nobody may read this"
WAYS = [
    "{0}",
    "/{0}",
    "file://{0}",
    "../../../../../../../..{0}",
    "..%2f..%2f..%2f..%2f..{0}",
    "{0}%00.png",
    "http://127.0.0.1:1{0}",
]


@pytest.fixture(scope="module")
def secret_file(shared: Installation) -> Path:
    file = shared.home / "secret.txt"
    file.write_text(SECRET)
    return file


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "route",
    ["/gradio_api/file=", "/gradio_api/file/", "/file=", "/gradio_api/proxy=", "/static/", "/assets/", "/svelte/", "/"],
)
def test_no_route_serves_a_file_of_the_machine(route: str, way: str, secret_file: Path, page_people: People) -> None:
    answer = page_people.clients["admin"].get(route + way.format(secret_file))
    assert answer.status_code in (400, 403, 404, 422), answer.status_code
    assert SECRET not in answer.text


@pytest.mark.parametrize("who", ["nobody", "viewer"])
def test_who_may_not_add_images_may_not_upload_to_gradio_either(who: str, page_people: People) -> None:
    answer = page_people.clients[who].post("/gradio_api/upload", files={"files": ("a.png", png())})
    assert answer.status_code == (401 if who == "nobody" else 403)


def test_the_name_of_an_upload_is_no_path(page_people: People, tmp_path: Path) -> None:
    target = tmp_path / "written"
    for name in (str(target), f"../../../../../..{target}", f"..\\..{target}"):
        answer = page_people.clients["admin"].post("/gradio_api/upload", files={"files": (name, b"x", "text/plain")})
        assert answer.status_code == 200
        assert ".." not in answer.json()[0] and not target.exists()
        name_kept = page_people.clients["admin"].post("/api/v1/images", files={"files": (name, png())})
        assert name_kept.status_code == 201 and not target.exists()
