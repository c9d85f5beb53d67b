"""Prompt versions over REST: listing, importing, activating, and what is refused."""

import io
import pickle
from pathlib import Path

import pytest
import torch
from fastapi.testclient import TestClient
from httpx import Response

from engine.backbone.loading import load_backbone
from engine.detector.prompt_files import prompts_to_bytes
from engine.detector.prompts import random_prompts
from tests.conftest import Installation
from tests.pictures import mask_png
from tests.tiny_backbone import write_tiny_backbone
from tests.webapp.rest import assert_problem, kept, scored
from workers.scoring.engine_host import get_engine
from workers.scoring.scorer import score_unscored


def import_file(client: TestClient, data: bytes, name: str = "prompts.safetensors") -> Response:
    return client.post("/api/v1/prompts/import", files={"file": (name, data)}, data={"project": "default"})


def our_file(seed: int = 1) -> bytes:
    return prompts_to_bytes(random_prompts(get_engine().backbone, seed))


def reference_file(width: int = 32) -> bytes:
    """A checkpoint in the reference's format."""
    state = {"ctx_pos": torch.randn(1, 1, 12, width), "ctx_neg": torch.randn(1, 1, 12, width)}
    state |= {f"compound_prompts_text.{row}": torch.randn(4, width) for row in range(2)}
    buffer = io.BytesIO()
    torch.save({"prompt_learner": state}, buffer)
    return buffer.getvalue()


class Exploit:
    """What a hostile checkpoint does when it is unpickled without care."""

    def __init__(self, evidence: Path) -> None:
        self.evidence = evidence

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, (f"open({str(self.evidence)!r}, 'w').close()",))


def test_a_project_starts_with_the_prompts_that_come_with_the_backbone(client: TestClient) -> None:
    [version] = client.get("/api/v1/prompts").json()
    assert (version["number"], version["state"], version["origin"]) == (1, "active", "shipped")
    assert version["backbone_fingerprint"] == get_engine().info.fingerprint


@pytest.mark.parametrize("reference", [False, True], ids=["our safetensors", "the reference's pth"])
def test_an_imported_file_is_a_candidate_until_it_is_activated(client: TestClient, reference: bool) -> None:
    answer = import_file(client, reference_file() if reference else our_file(), "found.pth")
    assert answer.status_code == 201
    version = answer.json()
    assert (version["number"], version["state"], version["origin"]) == (2, "candidate", "imported")
    assert "found.pth" in version["note"]
    assert client.post(f"/api/v1/prompts/{version['id']}/activate").json()["state"] == "active"
    assert [one["state"] for one in client.get("/api/v1/prompts").json()] == ["active", "retired"]


def test_a_file_far_larger_than_prompts_is_refused_before_it_is_read(client: TestClient) -> None:
    assert_problem(import_file(client, bytes(65_000_000)), 413, "too-large", "MAX_UPLOAD_MB")


def test_after_activation_images_are_scored_anew_and_rolling_back_brings_the_old_scores(
    client: TestClient, installation: Installation
) -> None:
    image_id = scored(client, installation)
    before = client.get(f"/api/v1/images/{image_id}").json()
    version = import_file(client, our_file()).json()
    client.post(f"/api/v1/prompts/{version['id']}/activate")
    assert client.get(f"/api/v1/images/{image_id}").json()["status"] == "unscored"
    score_unscored(installation.store, installation.project_id, limit=10)
    after = client.get(f"/api/v1/images/{image_id}").json()
    assert after["prompt_version"] == 2 and after["score"] != before["score"]
    first = client.get("/api/v1/prompts").json()[-1]
    client.post(f"/api/v1/prompts/{first['id']}/activate")
    assert client.get(f"/api/v1/images/{image_id}").json()["score"] == before["score"]


def test_prompts_of_another_backbone_are_refused(client: TestClient, tmp_path: Path) -> None:
    other = load_backbone(write_tiny_backbone(tmp_path, seed=1, name="other"), "cpu")
    answer = import_file(client, prompts_to_bytes(random_prompts(other, 1)))
    assert_problem(answer, 422, "unusable-prompts", "other", "ANOMALYLOOP_BACKBONE")
    assert len(client.get("/api/v1/prompts").json()) == 1


def test_a_reference_checkpoint_of_another_width_is_refused(client: TestClient) -> None:
    assert_problem(import_file(client, reference_file(width=768)), 422, "unusable-prompts", "768 wide")


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("new_format", [True, False], ids=["zip", "legacy"])
def test_a_pickle_with_code_in_it_is_refused_and_its_code_never_runs(
    client: TestClient, tmp_path: Path, new_format: bool
) -> None:
    evidence = tmp_path / "ran"
    buffer = io.BytesIO()
    torch.save({"prompt_learner": Exploit(evidence)}, buffer, _use_new_zipfile_serialization=new_format)
    for data in (buffer.getvalue(), pickle.dumps(Exploit(evidence))):
        assert_problem(import_file(client, data, "evil.pth"), 422, "unusable-prompts", "No code in it was run")
    assert not evidence.exists()
    assert len(client.get("/api/v1/prompts").json()) == 1


@pytest.mark.parametrize("data", [b"", b"words", b"\x00" * 64], ids=["0 bytes", "words", "zeros"])
def test_a_file_that_holds_no_prompts_is_refused(client: TestClient, data: bytes) -> None:
    assert_problem(import_file(client, data), 422, "unusable-prompts")


def test_activating_what_does_not_exist_is_a_404(client: TestClient) -> None:
    assert_problem(client.post("/api/v1/prompts/999/activate"), 404, "not-found", "999")


def test_a_version_of_another_backbone_can_not_be_activated(client: TestClient, installation: Installation) -> None:
    from db.training.prompt_versions import add_version

    with installation.store.session() as session:
        version = add_version(
            session,
            project_id=installation.project_id,
            origin="tuned",
            blob_key="00/" + "0" * 64,
            sha256="0" * 64,
            backbone_name="another",
            backbone_fingerprint="f" * 64,
        )
    assert_problem(client.post(f"/api/v1/prompts/{version.id}/activate"), 422, "unusable-prompts", "another")
    assert client.get("/api/v1/prompts").json()[-1]["state"] == "active"


def test_a_person_writes_a_note_and_changes_nothing_else(client: TestClient) -> None:
    [version] = client.get("/api/v1/prompts").json()
    answer = client.patch(f"/api/v1/prompts/{version['id']}", json={"note": " for the new camera "})
    assert answer.json() == {**version, "note": "for the new camera"}
    assert client.get("/api/v1/prompts").json() == [answer.json()]
    assert_problem(client.patch("/api/v1/prompts/99", json={"note": ""}), 404, "not-found")
    assert_problem(client.patch(f"/api/v1/prompts/{version['id']}", json={"state": "x"}), 422, "invalid-request")


def test_two_versions_are_compared_on_the_corrections(client: TestClient) -> None:
    first, second = client.get("/api/v1/prompts").json()[0], import_file(client, our_file()).json()
    url = f"/api/v1/prompts/{second['id']}/comparison"
    assert_problem(client.get(url, params={"with": first["id"]}), 422, "too-few-corrections")
    image_id = kept(client)
    client.put(f"/api/v1/images/{image_id}/annotation", files={"mask": ("m.png", mask_png())})
    found = client.get(url, params={"with": first["id"]}).json()
    assert (found["first"], found["second"], found["images"]) == (1, 2, 1)
    [difference] = found["most_different"]
    assert difference["image_id"] == image_id and difference["difference"] > 0
    assert found["metrics"]["candidate"]["pixel_ap"] == pytest.approx(difference["average_precision"][1])
    assert_problem(client.get(url, params={"with": 99}), 404, "not-found")
    assert_problem(client.get(url), 422, "invalid-request", "with")
