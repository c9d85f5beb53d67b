"""A hub of Hugging Face's kind on the loopback, with small files; it can be slow, cut off, wrong or away."""

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

_COMMIT = "0123456789abcdef0123456789abcdef01234567"
_CHUNK = 1 << 15


class LoopbackHub:
    """What it serves, and how it behaves; both can be changed at any moment.

    Attributes:
        files: `owner/name` → file name → bytes.
        raw: path → bytes, for what is no hub's.
        slow: seconds that it rests after every 32 KiB.
        cuts: sizes in bytes after which the next answers are cut off, one an answer.
        wrong: whether it sends other bytes than it has sums of.
        status: what it answers everything with, in place of files; 0: files.
        asked: `METHOD path range` of what was asked, in order.
    """

    def __init__(self) -> None:
        self.files: dict[str, dict[str, bytes]] = {}
        self.raw: dict[str, bytes] = {}
        self.slow = 0.0
        self.cuts: list[int] = []
        self.wrong = False
        self.status = 0
        self.asked: list[str] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                hub._answer(self)

            def do_GET(self) -> None:
                hub._answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Be away."""
        self._server.shutdown()
        self._server.server_close()

    def sent(self) -> list[str]:
        """The ranges of bytes that were asked for of weights, in order."""
        return [one.split()[2] for one in self.asked if one.startswith("GET") and "safetensors" in one]

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        wanted = request.headers.get("Range", "-")
        self.asked.append(f"{request.command} {request.path} {wanted}")
        data = self._find(request.path)
        if self.status or data is None:
            request.send_response(self.status or 404)
            if not self.status:
                request.send_header("X-Error-Code", "EntryNotFound")
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted != "-" else 0
        request.send_response(206 if start else 200)
        request.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        request.send_header("X-Repo-Commit", _COMMIT)
        request.send_header("Content-Length", str(len(data) - start))
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        request.end_headers()
        if request.command == "GET":
            self._send(request, data, start)

    def _find(self, path: str) -> bytes | None:
        if path in self.raw:
            return self.raw[path]
        repo, _, name = path.lstrip("/").partition("/resolve/main/")
        return self.files.get(repo, {}).get(name)

    def _send(self, request: BaseHTTPRequestHandler, data: bytes, start: int) -> None:
        body = bytes(len(data)) if self.wrong else data
        end = start + self.cuts.pop(0) if self.cuts else len(body)
        try:
            for at in range(start, min(end, len(body)), _CHUNK):
                request.wfile.write(body[at : min(at + _CHUNK, end, len(body))])
                time.sleep(self.slow)
        except OSError:  # the other side has gone
            pass
        if end < len(body):
            request.close_connection = True
            request.connection.shutdown(2)


@contextmanager
def loopback_hub(cache: Path) -> Iterator[LoopbackHub]:
    """A hub that this process's huggingface_hub takes for the only one, with an empty cache of its own."""
    hub = LoopbackHub()
    with pytest.MonkeyPatch.context() as patch:
        values = {
            "ENDPOINT": hub.url,
            "HUGGINGFACE_CO_URL_TEMPLATE": hub.url + "/{repo_id}/resolve/{revision}/{filename}",
            "HF_HUB_CACHE": str(cache),
            "HF_HUB_OFFLINE": False,
        }
        for name, value in values.items():
            patch.setattr(f"huggingface_hub.constants.{name}", value)
        patch.setattr("engine.backbone.hub._PAUSE", 0.0)
        yield hub
    hub.stop()
