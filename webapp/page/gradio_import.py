"""Importing Gradio without the type stubs that it writes for editors, and without the proxies of the environment."""

import inspect
import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_stubs() -> Iterator[None]:
    """While Gradio is imported: it finds no source of its components, and so doesn't parse it.

    It would read, parse and compare the source of every component at every import, a third of the page's start.
    """
    file_of = inspect.getfile

    def getfile(item: object) -> str:
        if isinstance(item, type) and item.__module__.startswith("gradio."):
            raise OSError("no stubs are wanted")
        return file_of(item)  # type: ignore[arg-type]

    inspect.getfile = getfile  # type: ignore[assignment]
    try:
        yield
    finally:
        inspect.getfile = file_of


@contextmanager
def without_proxies() -> Iterator[None]:
    """While Gradio is imported: it makes a client of the web then, and fails where a proxy's kind needs more of Python.

    The page calls nobody, so it needs none.
    """
    hidden = {name: os.environ.pop(name) for name in list(os.environ) if name.lower().endswith("_proxy")}
    try:
        yield
    finally:
        os.environ.update(hidden)
