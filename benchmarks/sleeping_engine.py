"""An engine that sleeps in place of a vision tower: one image at a time, as one device would, and each is counted."""

import hashlib
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from PIL import Image

from db.store import Store
from db.training.prompt_versions import activate, add_version
from settings import get_settings
from workers.scoring import engine_host

FINGERPRINT = "5" * 64


class SleepingEngine:
    """What `workers.scoring.scorer` asks of an engine, and no more.

    Args:
        seconds: that an image takes.
        log: a file that gets a line for every image that is encoded: the process, and sha256 of the pixels.
    """

    def __init__(self, seconds: float, log: Path) -> None:
        self.seconds, self.log = seconds, log
        self.info = SimpleNamespace(name="sleeping", fingerprint=FINGERPRINT, layers=(1,), description="")
        self.backbone = SimpleNamespace(device="cpu", precision="fp32")
        self.image_size, self.cache = 64, None
        self._device = threading.Lock()

    def encode(self, pictures: Sequence[Image.Image], *, surface: bool = False) -> list[Any]:
        """Sleep for each."""
        with self._device:
            time.sleep(self.seconds * len(pictures))
        with self.log.open("a") as log:
            for picture in pictures:
                log.write(f"{os.getpid()} {hashlib.sha256(picture.tobytes()).hexdigest()}\n")
        return [SimpleNamespace(global_feature=torch.ones(8)) for _ in pictures]

    def score(self, features: Sequence[Any], detector: object) -> list[Any]:
        """The same of all."""
        return [SimpleNamespace(score=0.25, anomaly_map=np.zeros((8, 8), np.float32)) for _ in features]

    def detector(self, key: str, load: Callable[[], bytes]) -> object:
        """None is needed."""
        return None


def install(seconds: float, log: Path) -> None:
    """Have this process score with it."""
    host = engine_host._host
    host.engine, host.name = SleepingEngine(seconds, log), get_settings().backbone  # type: ignore[assignment]


def add_its_version(store: Store, project_id: int) -> None:
    """A version in use that belongs to it."""
    with store.session() as session:
        version = add_version(
            session,
            project_id=project_id,
            origin="shipped",
            blob_key=store.blobs.put(b"prompts"),
            sha256="7" * 64,
            backbone_name="sleeping",
            backbone_fingerprint=FINGERPRINT,
        )
        activate(session, version.id)
