"""Those who are told: a server that keeps what it hears, and a broker."""

import json
import queue
import shutil
import socket
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import paho.mqtt.client as paho

from tests.running import free_port, wait_until

MOSQUITTO = next(filter(None, (shutil.which("mosquitto"), shutil.which("/usr/sbin/mosquitto"))), None)


class Receiver:
    """A server that keeps what it is told, and answers as it is told to."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict, bytes]] = []
        self.status, self.location = 200, ""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(receiver.status)
                if receiver.location:
                    self.send_header("Location", receiver.location)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def told(self) -> list[dict]:
        return [json.loads(body) for _, body in self.heard]


class Broker:
    """A Mosquitto of one's own, which can be ended and started again."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._file = folder / "mosquitto.conf"
        self._file.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}/plant/line"

    def start(self) -> None:
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen([str(MOSQUITTO), "-c", str(self._file)], stdout=quiet, stderr=quiet)
        wait_until(self.answers, "answering")

    def end(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def listen(self) -> "queue.Queue[tuple[str, bytes, bool]]":
        """Topic, payload and whether it was retained, of all that is published from now on."""
        heard: queue.Queue[tuple[str, bytes, bool]] = queue.Queue()
        client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        client.on_message = lambda _client, _data, one: heard.put((one.topic, one.payload, one.retain))
        subscribed = []
        client.on_subscribe = lambda *_: subscribed.append(True)
        client.on_connect = lambda one, *_: one.subscribe("#", qos=1)
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        wait_until(lambda: subscribed, "subscribed")
        return heard
