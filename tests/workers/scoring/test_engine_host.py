"""The engine of a process: loaded once, and clear about why it is not there."""

import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from settings import get_settings
from tests.running import ROOT
from workers.errors import BackboneError
from workers.scoring import engine_host
from workers.scoring.engine_host import engine_status, get_engine


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


def test_a_backbone_that_could_not_be_fetched_is_tried_again(
    configured: Path, tiny_backbone: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, weights = tiny_backbone.split("@")
    late = tmp_path / "late.safetensors"
    monkeypatch.setattr(get_settings(), "backbone", f"{config}@{late}")
    with pytest.raises(BackboneError):
        get_engine()
    shutil.copy(weights, late)
    with pytest.raises(BackboneError):
        get_engine()  # not at once
    engine_host._host.pauses._until = 0.0
    assert get_engine().info.name == "tiny" and engine_status()["state"] == "ready"


def test_what_went_wrong_by_chance_is_tried_again(configured: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(engine_host, "_make", lambda settings, name: {}["scipy"])
        with pytest.raises(KeyError):
            get_engine()
    assert engine_status()["state"] == "failed"
    assert get_engine().info.name == "tiny" and engine_status()["state"] == "ready"


_TWO_AT_ONCE = """
import sys, threading, time
from workers import tasks
from workers.operations.first_imports import heavy_imports
from workers.thresholds import calibrating

asking = [threading.Thread(target=tasks.tune, args=(1,), daemon=True),
          threading.Thread(target=calibrating.fit_probability, args=(calibrating.Evidence(*[[1] * 1000] * 3, 20, 20),),
                           daemon=True)]
with heavy_imports:
    for thread in asking:
        thread.start()
    time.sleep(1)
    assert all(thread.is_alive() for thread in asking)
    assert not {"torch", "sklearn", "skimage.measure"} & sys.modules.keys()
"""


def test_threads_import_what_is_heavy_one_at_a_time(configured: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _TWO_AT_ONCE], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
