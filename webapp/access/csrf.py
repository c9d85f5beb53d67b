"""Whose page makes a browser send a request: writes of other sites are refused, whatever cookies come with them.

Browsers say it themselves, in Sec-Fetch-Site and Origin, which no page can forge; so pages need no token of their own.
"""

import ipaddress
from urllib.parse import urlsplit

from starlette.requests import Request

from settings import Settings
from webapp.access.callers import Caller

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def is_foreign_write(request: Request, caller: Caller, settings: Settings) -> bool:
    """Whether another site's page makes this request change something, or may do so.

    A program has no pages and says nothing. It is believed unless it comes with a browser's cookie.
    """
    if request.method in SAFE_METHODS or caller.via == "token":
        return False
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site not in ("same-origin", "none")
    if origin is not None:
        return urlsplit(origin).netloc not in _own_hosts(request, settings)
    return caller.via == "session"


def is_foreign_host(request: Request, settings: Settings) -> bool:
    """Whether the request came by a name that is not this machine's own: another site's, pointed at 127.0.0.1."""
    name = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    if name == "localhost" or name == urlsplit(settings.public_url).hostname:
        return False
    try:
        return not ipaddress.ip_address(name).is_loopback
    except ValueError:
        return True


def _own_hosts(request: Request, settings: Settings) -> set[str]:
    return {host for host in (request.headers.get("host", ""), urlsplit(settings.public_url).netloc) if host}
