"""Uploading, listing, looking at and deleting images over REST."""

import hashlib
import io
import struct
import zlib

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import delete, select

from db.tables.core import Prediction, Preview
from tests.conftest import Installation
from tests.pictures import encoded, mask_png, picture, png
from tests.running import wait_until
from tests.webapp.rest import assert_problem, kept, scored, upload
from tests.workers.making import add, change_image
from workers.broker import dispatch
from workers.scoring.background import BackgroundScorer
from workers.training.previewing import refresh_previews


def truncated_jpeg() -> bytes:
    whole = encoded(picture(), "JPEG")
    return whole[: len(whole) // 2]


def decompression_bomb() -> bytes:
    """A PNG of a few hundred bytes that claims 60,000×60,000 px."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


BAD_FILES = {
    "not an image": (b"These are words, not pixels.", "not an image"),
    "truncated JPEG": (truncated_jpeg(), "damaged"),
    "0 bytes": (b"", "empty"),
    "decompression bomb": (decompression_bomb(), "pixels"),
    "1×1 px": (encoded(picture(width=1, height=1)), "1×1 px"),
    "20,000×20 px": (encoded(picture(width=20_000, height=20)), "20000×20 px"),
    "an SVG with a script": (
        b"<svg><script>alert(1)</script></svg>",
        "not an image",
    ),
}


def blobs(installation: Installation) -> set[str]:
    folder = installation.home / "blobs"
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("data, reason", BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_bad_file_gets_a_clear_problem_and_nothing_of_it_is_stored(
    client: TestClient, installation: Installation, data: bytes, reason: str
) -> None:
    before = blobs(installation)
    document = assert_problem(upload(client, ("bad.png", data)), 422, "unusable-image", "bad.png", reason)
    assert document["files"][0]["file_name"] == "bad.png"
    assert client.get("/api/v1/images").json()["total"] == 0
    assert blobs(installation) == before


def test_bad_files_among_good_ones_lose_nothing_else(client: TestClient) -> None:
    files = [
        ("first.png", png(1)),
        *((f"{name}.bin", data) for name, (data, _) in BAD_FILES.items()),
        ("last.png", png(2)),
    ]
    answer = upload(client, *files)
    assert answer.status_code == 201
    outcomes = answer.json()
    assert [one["file_name"] for one in outcomes] == [name for name, _ in files]
    assert [("error" in one) for one in outcomes] == [False, *[True] * len(BAD_FILES), False]
    assert client.get("/api/v1/images").json()["total"] == 2


def test_a_kept_file_is_told_with_its_size_and_hash(client: TestClient) -> None:
    data = png(3, width=120, height=80)
    [outcome] = upload(client, ("part.png", data)).json()
    assert outcome == {
        "id": outcome["id"],
        "sha256": hashlib.sha256(data).hexdigest(),
        "width": 120,
        "height": 80,
        "duplicate": False,
        "file_name": "part.png",
    }


def test_the_same_bytes_twice_are_one_image(client: TestClient) -> None:
    first, second = (upload(client, (name, png(4))).json()[0] for name in ("a.png", "b.png"))
    assert second["id"] == first["id"] and second["duplicate"]
    assert client.get("/api/v1/images").json()["total"] == 1


def test_a_file_over_the_limit_is_refused_by_the_setting_that_limits_it(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from settings import get_settings

    monkeypatch.setattr(get_settings(), "max_upload_mb", 0.01)
    assert_problem(upload(client, ("big.png", png(1, width=300, height=300))), 422, "unusable-image", "MAX_UPLOAD_MB")


def test_an_upload_to_a_project_that_does_not_exist_is_a_404(client: TestClient) -> None:
    assert_problem(upload(client, ("a.png", png()), project="nowhere"), 404, "not-found", "nowhere")


def test_an_upload_without_files_is_a_problem_document(client: TestClient) -> None:
    assert_problem(client.post("/api/v1/images", data={"project": "default"}), 422, "invalid-request", "files")


def test_an_image_is_unscored_until_it_is_scored(client: TestClient, installation: Installation) -> None:
    fresh = client.get(f"/api/v1/images/{kept(client, seed=1)}").json()
    assert (fresh["status"], fresh["score"], fresh["verdict"], fresh["prompt_version"]) == (
        "unscored",
        None,
        None,
        None,
    )
    address = f"/api/v1/images/{scored(client, installation, seed=2)}"
    known = client.get(address).json()
    assert known["status"] == "to_review" and known["prompt_version"] == 1
    assert known["verdict"] is None, "nothing tells these images apart yet"
    for threshold, said in ((known["score"], "anomalous"), (1.0, "normal")):
        client.put("/api/v1/threshold", json={"threshold": threshold}).raise_for_status()
        assert client.get(address).json()["verdict"] == said


def test_pages_of_images_follow_each_other_and_count_all(client: TestClient) -> None:
    ids = [kept(client, seed=seed) for seed in range(5)]
    first = client.get("/api/v1/images", params={"limit": 3}).json()
    second = client.get("/api/v1/images", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    assert [one["id"] for one in first["items"] + second["items"]] == ids[::-1]
    assert first["total"] == 5 and second["next_cursor"] is None


def test_a_cursor_that_is_none_is_a_problem_document(client: TestClient) -> None:
    assert_problem(client.get("/api/v1/images", params={"cursor": "nonsense"}), 400, "bad-cursor", "nonsense")


def test_an_order_that_does_not_exist_is_named(client: TestClient) -> None:
    assert_problem(client.get("/api/v1/images", params={"order": "random"}), 422, "invalid-request", "order")


@pytest.mark.parametrize("path", ["", "/map", "/mask", "/display", "/thumbnail"])
def test_an_image_that_does_not_exist_is_a_404_problem(client: TestClient, path: str) -> None:
    assert_problem(client.get(f"/api/v1/images/999{path}"), 404, "not-found", "999")


@pytest.mark.parametrize("image_id", ["0", "-1", "abc", str(2**70)])
def test_an_id_that_can_not_be_one_is_a_problem_document(client: TestClient, image_id: str) -> None:
    assert_problem(client.get(f"/api/v1/images/{image_id}"), 422, "invalid-request", "image_id")


def test_a_deleted_image_is_gone_with_its_files(client: TestClient, installation: Installation) -> None:
    before = blobs(installation)
    image_id = scored(client, installation)
    assert client.delete(f"/api/v1/images/{image_id}").status_code == 204
    assert_problem(client.get(f"/api/v1/images/{image_id}"), 404, "not-found")
    assert blobs(installation) == before


def test_what_a_browser_can_show_is_displayed_as_it_came(client: TestClient) -> None:
    data = encoded(picture(), "JPEG")
    image_id = upload(client, ("a.jpg", data)).json()[0]["id"]
    answer = client.get(f"/api/v1/images/{image_id}/display")
    assert answer.headers["content-type"] == "image/jpeg" and answer.content == data


def sixteen_bit() -> bytes:
    ramp = np.linspace(0, 4095, 90 * 70).reshape(70, 90).astype(np.uint16)
    return encoded(Image.fromarray(ramp), "TIFF")


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90°
    return encoded(picture(), "JPEG", exif=exif)


@pytest.mark.parametrize(
    "data, size",
    [(sixteen_bit(), (90, 70)), (turned(), (70, 90)), (encoded(picture(mode="CMYK"), "TIFF"), (90, 70))],
    ids=["16-bit TIFF", "JPEG to be turned", "CMYK TIFF"],
)
def test_any_upload_is_displayed_as_upright_rgb(client: TestClient, data: bytes, size: tuple[int, int]) -> None:
    uploaded = upload(client, ("a", data)).json()[0]
    answer = client.get(f"/api/v1/images/{uploaded['id']}/display")
    shown = Image.open(io.BytesIO(answer.content))
    assert (shown.format, shown.mode, shown.size) == ("PNG", "RGB", size)
    assert (uploaded["width"], uploaded["height"]) == size
    assert np.ptp(np.asarray(shown)) > 200


def test_a_thumbnail_is_a_small_jpeg_the_second_time_too(client: TestClient) -> None:
    image_id = upload(client, ("a.png", png(1, width=600, height=300))).json()[0]["id"]
    first, second = (client.get(f"/api/v1/images/{image_id}/thumbnail") for _ in range(2))
    assert Image.open(io.BytesIO(first.content)).size == (256, 128)
    assert first.content == second.content


def test_a_browser_that_has_the_picture_is_told_so(client: TestClient) -> None:
    image_id = kept(client)
    for path in ("display", "thumbnail"):
        answer = client.get(f"/api/v1/images/{image_id}/{path}")
        again = client.get(f"/api/v1/images/{image_id}/{path}", headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_an_image_that_someone_looks_at_is_scored_before_newer_ones(
    client: TestClient, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer = BackgroundScorer(installation.store)
    monkeypatch.setattr(dispatch, "_scorer", scorer)
    looked_at, *newer = (add(installation, seed=seed) for seed in range(4))
    for _ in range(2):  # a page asks again and again until there is a score
        assert client.get(f"/api/v1/images/{looked_at}").json()["score"] is None
    scorer.start()
    unscored = {"status": "unscored"}
    wait_until(lambda: client.get("/api/v1/images", params=unscored).json()["total"] == 0, "scored")
    scorer.stop()
    with installation.store.session(read_only=True) as session:
        scored = session.scalars(select(Prediction.image_id).order_by(Prediction.id)).all()
    assert scored == [looked_at, *reversed(newer)]


def test_images_that_failed_are_tried_again(client: TestClient, installation: Installation) -> None:
    scored_id, first, second = scored(client, installation, seed=3), kept(client, seed=1), kept(client, seed=2)
    for image_id in (first, second):
        change_image(installation, image_id, scoring_error="there was no memory")
    assert client.post("/api/v1/images/retry", json={"ids": [first, scored_id, 999]}).json() == [first]
    assert client.post("/api/v1/images/retry", json={}).json() == [second]
    assert client.get(f"/api/v1/images/{first}").json()["status"] == "unscored"
    assert_problem(client.post("/api/v1/images/retry", json={"project": "none"}), 404, "not-found")


def test_an_image_that_is_opened_is_previewed_where_others_are(
    client: TestClient, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr("workers.broker.dispatch.request_preview", lambda *which: asked.append(which))
    first, second, third = (scored(client, installation, seed=seed) for seed in (1, 2, 3))
    client.get(f"/api/v1/images/{third}", params={"opened": True})
    assert asked == []
    client.put(f"/api/v1/images/{first}/annotation", files={"mask": mask_png()})
    refresh_previews(installation.store, installation.project_id)
    with installation.store.session() as session:
        session.execute(delete(Preview).where(Preview.image_id == third))
    client.get(f"/api/v1/images/{third}")  # a program that reads costs nobody a preview
    assert asked == []
    client.get(f"/api/v1/images/{second}", params={"opened": True})
    client.get(f"/api/v1/images/{third}", params={"opened": True})
    assert asked == [(installation.project_id, third)]
