"""The log-in page as HTML: a plain form, which works without a script, by keyboard and by screen reader."""

import re
from html import escape
from pathlib import Path
from string import Template

from webapp.texts import Texts
from webapp.texts.translation import translated
from webapp.ui.assets import read

_FOLDER = Path(__file__).parent
# A path of this server: two slashes, or a backslash, would lead a browser to another one.
_LOCAL = re.compile(r"/(?![/\\])[\x21-\x7e]*")


def login_html(say: Texts, *, target: str = "/", name: str = "", error: str = "") -> str:
    """The page.

    Args:
        say: the texts for whoever looks.
        target: where to go after signing in; anything but a path of this server becomes `/`.
        name: what was typed before.
        error: why the last attempt did not do; empty: there was none.
    """
    tokens = read("shared/tokens.css")
    light, dark = (block.group(1) for block in re.finditer(r"(?::root|\.dark) \{(.*?)\}", tokens, re.DOTALL))
    page = Template((_FOLDER / "login.html").read_text(encoding="utf-8"))
    words = ("title", "heading", "name", "password", "submit", "help")
    return page.substitute(
        {f"{word}_words": escape(say(f"login.{word}")) for word in words},
        language=say.language,
        tokens=f":root {{{light}}}",
        dark=dark,
        name=escape(name),
        next=escape(local_path(target)),
        error=escape(translated(say, error)),
        # After a failure the name is mostly right.
        focus_name="" if name else " autofocus",
        focus_password=" autofocus" if name else "",
    )


def local_path(target: str) -> str:
    """The target if it is a path of this server, else `/`."""
    return target if _LOCAL.fullmatch(target) else "/"
