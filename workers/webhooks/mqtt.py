"""MQTT as a way out for events: `mqtt://name:password@broker:1883/prefix`, or `mqtts://` with TLS.

A message goes to PREFIX/PROJECT/STATION/EVENT with QoS 1, and is done when the broker has acknowledged it.
PREFIX/status is retained: `online`, or `offline` from the broker itself (the last will) when this process is gone.
"""

import atexit
import os
import re
import socket
import threading
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import paho.mqtt.client as paho

from workers.errors import AddressRefused
from workers.webhooks.outbound import require_reachable

SCHEMES = {"mqtt": 1883, "mqtts": 8883}
DEFAULT_PREFIX = "anomalyloop"
_QOS = 1
# Seconds that a broker has to accept a connection, and to acknowledge messages.
_CONNECT_SECONDS, _ACK_SECONDS = 5.0, 10.0
_KEEP_ALIVE = 30
_lock = threading.Lock()
_clients: dict[int, tuple[str, paho.Client]] = {}


class BrokerAway(Exception):
    """The broker does not answer, or refuses."""


def is_mqtt(url: str) -> bool:
    """Whether a webhook's address is a broker."""
    return url.partition("://")[0].lower() in SCHEMES


def require_broker(url: str, *, private: bool) -> SplitResult:
    """The parts of a broker's URL that may be called. Raises AddressRefused."""
    try:
        parts = urlsplit(url)
        port = parts.port or SCHEMES.get(parts.scheme)
    except ValueError as error:
        raise AddressRefused(shown_url(url), f"it is no URL ({error})") from error
    if port is None or not parts.hostname or parts.query or parts.fragment:
        raise AddressRefused(shown_url(url), "a broker's is mqtt://BROKER:PORT/PREFIX or mqtts://…")
    if re.search(r"[+#\0]", unquote(parts.path)):
        raise AddressRefused(shown_url(url), "a topic's prefix has no + and no #")
    require_reachable(shown_url(url), parts.hostname, port, private=private)
    return parts


def shown_url(url: str) -> str:
    """Without the password that may be in it."""
    return re.sub(r"(://[^/@:]*):[^/@]*@", r"\1:***@", url)


def topic_of(url: str, project: str, station: str | None, event: str) -> str:
    """Where a message goes; what a topic can't have in a name becomes `_`, and no station is `-`."""
    return "/".join((_prefix(urlsplit(url)), _level(project), _level(station or "-"), event))


def publish(webhook_id: int, url: str, messages: Sequence[tuple[str, bytes]], *, private: bool) -> int:
    """Publish messages (topic, payload) in their order; how many of the first ones the broker has acknowledged.

    Raises:
        AddressRefused: it may not be called.
        BrokerAway: it can't be reached, or refuses.
    """
    client = _connected(webhook_id, url, private=private)
    sent = [client.publish(topic, payload, qos=_QOS) for topic, payload in messages]
    deadline = time.monotonic() + _ACK_SECONDS
    done = 0
    for one in sent:
        try:
            one.wait_for_publish(max(0.0, deadline - time.monotonic()))
        except (RuntimeError, ValueError):  # not connected any more, or its queue is full
            break
        if not one.is_published():
            break
        done += 1
    if done < len(sent):
        forget(webhook_id)  # else it would send by itself what is sent again later
    return done


def publish_once(url: str, topic: str, payload: bytes, *, private: bool) -> None:
    """Publish one message over a connection of its own, which says nothing of who is there.

    Raises:
        AddressRefused: the broker may not be called.
        BrokerAway: it can't be reached, refuses, or does not acknowledge.
    """
    client = _connect("once", require_broker(url, private=private), announced=False)
    try:
        sent = client.publish(topic, payload, qos=_QOS)
        sent.wait_for_publish(_ACK_SECONDS)
        if not sent.is_published():
            raise BrokerAway("The broker did not acknowledge what it was sent.")
    except (RuntimeError, ValueError) as error:  # not connected any more, or its queue is full
        raise BrokerAway(f"The broker went away ({error}).") from error
    finally:
        client.disconnect()
        client.loop_stop()


def forget(webhook_id: int) -> None:
    """Close the connection of a webhook, and tell who listens that nothing comes any more."""
    with _lock:
        known = _clients.pop(webhook_id, None)
    if known is None:
        return
    url, client = known
    if client.is_connected():
        client.publish(f"{_prefix(urlsplit(url))}/status", b"offline", qos=0, retain=True)
    client.disconnect()
    client.loop_stop()


def _connected(webhook_id: int, url: str, *, private: bool) -> paho.Client:
    with _lock:
        known = _clients.get(webhook_id)
    if known is not None and known[0] == url and known[1].is_connected():
        return known[1]
    forget(webhook_id)
    client = _connect(str(webhook_id), require_broker(url, private=private))
    client.publish(f"{_prefix(urlsplit(url))}/status", b"online", qos=_QOS, retain=True)
    with _lock:
        _clients[webhook_id] = (url, client)
    return client


def _connect(purpose: str, parts: SplitResult, *, announced: bool = True) -> paho.Client:
    """A connection; where it is `announced`, the broker says so when it breaks."""
    name = f"anomalyloop-{purpose}-{socket.gethostname()}-{os.getpid()}"
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=name)
    answered, refusal = threading.Event(), list[str]()

    def on_connect(_client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            refusal.append(str(reason))
        answered.set()

    client.on_connect = on_connect
    if parts.username:
        client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
    if parts.scheme == "mqtts":
        client.tls_set()
    if announced:
        client.will_set(f"{_prefix(parts)}/status", b"offline", qos=_QOS, retain=True)
    client.connect_timeout = _CONNECT_SECONDS
    try:
        client.connect(parts.hostname or "", parts.port or SCHEMES[parts.scheme], _KEEP_ALIVE)
    except (OSError, ValueError) as error:
        raise BrokerAway(f"The broker can't be reached ({error}).") from error
    client.loop_start()
    if not answered.wait(_CONNECT_SECONDS) or refusal:
        client.disconnect()
        client.loop_stop()
        raise BrokerAway(f"The broker refuses: {refusal[0]}." if refusal else "The broker does not answer.")
    return client


def _prefix(parts: SplitResult) -> str:
    return unquote(parts.path).strip("/") or DEFAULT_PREFIX


def _level(name: str) -> str:
    return re.sub(r"[/+#\0-\x1f]", "_", name)


@atexit.register
def _forget_all() -> None:
    for webhook_id in list(_clients):
        forget(webhook_id)
