"""The log-in page as HTML: a plain form, which works without a script, by keyboard and by screen reader."""

import re
from html import escape
from pathlib import Path
from string import Template

from webapp.access.texts import TEXTS
from webapp.components.assets import read

_FOLDER = Path(__file__).parent
# A path of this server: two slashes, or a backslash, would lead a browser to another one.
_LOCAL = re.compile(r"/(?![/\\])[\x21-\x7e]*")


def login_html(*, target: str = "/", name: str = "", error: str = "") -> str:
    """The page.

    Args:
        target: where to go after signing in; anything but a path of this server becomes `/`.
        name: what was typed before.
        error: why the last attempt did not do; empty: there was none.
    """
    tokens = read("shared/tokens.css")
    light, dark = (block.group(1) for block in re.finditer(r"(?::root|\.dark) \{(.*?)\}", tokens, re.DOTALL))
    page = Template((_FOLDER / "login.html").read_text(encoding="utf-8"))
    words = {key: escape(text) for key, text in TEXTS.items()}
    return page.substitute(
        words,
        name_label=words["name"],
        password_label=words["password"],
        tokens=f":root {{{light}}}",
        dark=dark,
        name=escape(name),
        next=escape(local_path(target)),
        error=escape(error),
        # After a failure the name is mostly right.
        focus_name="" if name else " autofocus",
        focus_password=" autofocus" if name else "",
    )


def local_path(target: str) -> str:
    """The target if it is a path of this server, else `/`."""
    return target if _LOCAL.fullmatch(target) else "/"
