"""The authors' prompts: fetched from a server of our own, checked by their git blob, refused for another model."""

from dataclasses import replace
from pathlib import Path

import pytest

from engine.backbone.hub import git_blob
from engine.detector.prompt_files import parse_prompts
from settings import get_settings
from tests.conftest import Installation
from tests.engine.checkpoints import checkpoint
from tests.loopback_hub import LoopbackHub
from workers.backbones import published_prompts
from workers.backbones.published_prompts import PUBLISHED, import_published
from workers.errors import PromptError

PATH = "/45ed4dd35c05797d854294b5e8d585c545920089/checkpoints/9_12_4_multiscale/epoch_15.pth"


@pytest.fixture
def server(installation: Installation, monkeypatch: pytest.MonkeyPatch):
    """Serves a checkpoint of the tiny model's sizes under the authors' path, for the tiny model."""
    data = checkpoint(width=32)
    served = LoopbackHub()
    served.raw[PATH] = data
    monkeypatch.setattr(get_settings(), "published_url", served.url)
    monkeypatch.setattr(published_prompts, "BACKBONE", "tiny")
    monkeypatch.setitem(PUBLISHED, "visa", replace(PUBLISHED["visa"], blob=git_blob(data)))
    yield served
    served.stop()


def test_they_become_a_candidate_that_says_where_they_come_from(installation, server):
    version = import_published(installation.store, installation.project_id, "visa", author="ada")
    assert version.state == "candidate" and version.origin == "imported" and version.author == "ada"
    assert "published by the authors, tuned on VisA's test split (CC BY 4.0)" in version.note
    kept = parse_prompts(installation.store.blobs.get(version.blob_key))
    assert kept.class_token == "straight"  # as the reference takes it


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (lambda server: setattr(server, "wrong", True), r"is not the authors' file .* Nothing of it was kept"),
        (lambda server: setattr(server, "status", 404), "could not be fetched from .*import it under Train"),
        (lambda server: server.cuts.append(1000), "could not be fetched from"),
        (lambda server: server.stop(), "could not be fetched from .*HTTPS_PROXY"),
    ],
)
def test_what_goes_wrong_ends_in_a_sentence(installation, server, behave, reason):
    behave(server)
    with pytest.raises(PromptError, match=reason):
        import_published(installation.store, installation.project_id, "visa")


def test_another_model_in_use_is_told_before_anything_is_fetched(installation, server, monkeypatch):
    monkeypatch.setattr(published_prompts, "BACKBONE", "ViT-L-14-336-quickgelu")
    with pytest.raises(
        PromptError, match=r"are for ViT-L/14@336, and tiny is in use\. Put ViT-L-14-336-quickgelu/openai"
    ):
        import_published(installation.store, installation.project_id, "visa")
    assert not server.asked


def test_the_sums_are_those_that_the_engine_knows_the_files_by():
    source = (Path(__file__).parents[3] / "engine" / "detector" / "reference_checkpoint.py").read_text()
    assert all(one.blob in source and one.path.removeprefix("checkpoints/") in source for one in PUBLISHED.values())
