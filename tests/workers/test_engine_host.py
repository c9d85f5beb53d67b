"""The engine of a process: loaded once, and clear about why it is not there."""

import threading
from pathlib import Path

import pytest

from settings import get_settings
from workers.engine_host import engine_status, get_engine
from workers.errors import BackboneError


def test_threads_that_ask_together_get_one_engine(configured: Path) -> None:
    found = []
    threads = [threading.Thread(target=lambda: found.append(get_engine())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and len(set(map(id, found))) == 1


def test_the_status_tells_the_backbone_once_it_is_loaded(configured: Path) -> None:
    assert engine_status()["state"] == "not loaded"
    info = get_engine().info
    status = engine_status()
    assert (status["state"], status["name"], status["fingerprint"]) == ("ready", "tiny", info.fingerprint)
    assert (status["device"], status["precision"]) == ("cpu", "fp32")


def test_a_backbone_that_is_not_there_is_named_with_its_setting(
    configured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(get_settings(), "backbone", "ViT-B-32@/nowhere/weights.safetensors")
    for _ in range(2):
        with pytest.raises(BackboneError, match="ANOMALYLOOP_BACKBONE"):
            get_engine()
    assert engine_status()["state"] == "failed" and "/nowhere" in engine_status()["error"]
