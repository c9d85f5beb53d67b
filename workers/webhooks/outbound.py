"""Calling an address that a user gave: only http and https, and nothing inside the network that the server is in."""

import ipaddress
import socket
from urllib.parse import SplitResult, urlsplit

import httpx

from workers.errors import AddressRefused

_TIMEOUT = httpx.Timeout(5.0)


# What leads to an IPv4 address that is written in it, which may be any: NAT64, 6to4, Teredo, and IPv4 as IPv6.
_CARRIERS = [ipaddress.ip_network(one) for one in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")]


def is_public(address: str) -> bool:
    """Whether an IP address is one host's on the internet: none of a private network, of a group, or of a carrier."""
    known = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(known, "ipv4_mapped", None)
    if mapped is not None:
        return is_public(str(mapped))
    if known.is_multicast or known.is_reserved or any(known in carrier for carrier in _CARRIERS):
        return False
    return known.is_global


def require_allowed(url: str, *, private: bool) -> tuple[SplitResult, str]:
    """The parts of a URL that may be called, and the address that its name stands for now.

    Args:
        url: as the user gave it.
        private: whether addresses of private networks and of this machine are allowed.

    Raises:
        AddressRefused: it may not be called, or its name stands for nothing.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressRefused(url, f"it is no URL ({error})") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise AddressRefused(url, "only http:// and https:// addresses are called")
    if parts.username or parts.password:
        raise AddressRefused(url, "it has a user name in it; messages are signed instead")
    return parts, require_reachable(url, parts.hostname, port or parts.scheme, private=private)


def require_reachable(url: str, host: str, port: int | str, *, private: bool) -> str:
    """The address that a host's name stands for now, where it may be called. Raises AddressRefused, naming the URL."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressRefused(url, f"its name can't be resolved ({error})") from error
    addresses = [str(one[4][0]) for one in found]
    inside = [one for one in addresses if not is_public(one)]
    if inside and not private:
        raise AddressRefused(
            url,
            f"it leads to {inside[0]}, inside this machine or its network. Where that is meant, set "
            "ANOMALYLOOP_WEBHOOK_PRIVATE=true",
        )
    return addresses[0]


def post(url: str, body: bytes, headers: dict[str, str], *, private: bool) -> int:
    """POST JSON; the status of the answer. Redirects are not followed, and the answer's body is not read.

    The connection goes to the address that was checked, whatever the name stands for a moment later.

    Raises:
        AddressRefused: see `require_allowed`.
        httpx.HTTPError: no answer within five seconds.
    """
    parts, address = require_allowed(url, private=private)
    host = f"[{address}]" if ":" in address else address
    netloc = host if parts.port is None else f"{host}:{parts.port}"
    there = parts._replace(netloc=netloc, fragment="").geturl()
    named = {**headers, "Host": parts.netloc, "Content-Type": "application/json"}
    with (
        httpx.Client(timeout=_TIMEOUT, follow_redirects=False, trust_env=False) as client,
        client.stream(
            "POST", there, content=body, headers=named, extensions={"sni_hostname": parts.hostname}
        ) as answer,
    ):
        return answer.status_code


def refusal(status: int) -> str:
    """What an answer's status says is wrong; empty: it was taken."""
    return "" if 200 <= status < 300 else f"It answered with status {status}."
