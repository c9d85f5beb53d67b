"""The whole product as a user starts it, in a folder of its own, spoken to by REST."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

ROOT = Path(__file__).parents[1]


class Served:
    """`python app.py` on a free port, as a context; ends it and its workers at exit.

    Args:
        home: its data folder.
        environment: settings beside the defaults.
    """

    def __init__(self, home: Path, **environment: str) -> None:
        self.home, self.environment = home, environment
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}/api/v1", timeout=300)

    def __enter__(self) -> Self:
        self.start()
        self.wait_until_ready()
        return self

    def start(self) -> None:
        """Start the process, and return at once."""
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "app.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "app.py", "--port", str(self.port)],
                cwd=ROOT,
                env={**os.environ, "ANOMALYLOOP_HOME": str(self.home), **self.environment},
                stdout=log,
                stderr=log,
            )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()
        self.process.terminate()
        self.process.wait(30)

    def wait_until_ready(self, seconds: float = 120) -> None:
        """Return when /readyz says 200; raise TimeoutError with its last words otherwise."""
        deadline, words = time.monotonic() + seconds, ""
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"app.py ended by itself: see {self.home / 'app.log'}")
            try:
                answer = self.client.get(f"http://127.0.0.1:{self.port}/readyz")
                if answer.status_code == 200:
                    return
                words = answer.text
            except httpx.TransportError as failure:
                words = str(failure)
            time.sleep(0.2)
        raise TimeoutError(f"not ready after {seconds:.0f} s: {words}")

    def stop_schedule(self) -> None:
        """No run starts by itself from now on."""
        for project in self.client.get("/projects").raise_for_status().json():
            answer = self.client.patch(f"/projects/{project['id']}", json={"settings": {"schedule": False}})
            answer.raise_for_status()

    def upload(self, files: list[Path], *, batch: int = 8) -> list[dict[str, Any]]:
        """Upload files; returns REST's entries in their order."""
        entries: list[dict[str, Any]] = []
        for start in range(0, len(files), batch):
            parts = [("files", (file.name, file.read_bytes())) for file in files[start : start + batch]]
            answer = self.client.post("/images", files=parts, data={"project": "default"})
            answer.raise_for_status()
            entries += answer.json()
        return entries

    def wait_until_scored(self, ids: list[int], seconds: float = 600) -> None:
        """Return when the active prompts have scored all these images; asks less often the longer it takes."""
        deadline = time.monotonic() + seconds
        for image_id in ids:
            pause = 0.05
            while self.image(image_id)["score"] is None:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"image {image_id} is still not scored")
                time.sleep(pause)
                pause = min(0.5, 1.5 * pause)

    def image(self, image_id: int) -> dict[str, Any]:
        """`GET /images/{id}`."""
        return self.client.get(f"/images/{image_id}").raise_for_status().json()

    def put_in_service(self, prompts: bytes) -> None:
        """Import a prompt file and score with it from now on."""
        file = ("prompts.safetensors", prompts)
        version = self.client.post("/prompts/import", files={"file": file}).raise_for_status().json()
        self.client.post(f"/prompts/{version['id']}/activate").raise_for_status()

    def run(self, seed: int, seconds: float = 3600) -> dict[str, Any]:
        """Start a run and wait for its end; returns it."""
        run_id = self.client.post("/runs", json={"project": "default", "seed": seed}).raise_for_status().json()["id"]
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            run = self.client.get(f"/runs/{run_id}").raise_for_status().json()
            if run["state"] in ("succeeded", "failed", "cancelled"):
                return run
            time.sleep(0.5)
        raise TimeoutError(f"run {run_id} did not end")
