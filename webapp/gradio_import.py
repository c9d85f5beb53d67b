"""Importing Gradio without the type stubs that it writes for editors into its own package."""

import inspect
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
