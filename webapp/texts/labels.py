"""Gradio's own components in the language of whoever looks.

Gradio builds a page once for everyone, and its `gr.I18n` knows the browser's language but no choice of another one. So
the texts of buttons and fields are set when a page is loaded.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import gradio as gr
from gradio.blocks import Block

from webapp.page.events import QUIET
from webapp.texts import DEFAULT_LANGUAGE, Texts
from webapp.texts.viewer import viewer_texts

# A key, or what to make of the texts.
Label = str | Callable[[Texts], str]
Part = TypeVar("Part", bound=Block)


class Labels:
    """Which text is which property of which component."""

    def __init__(self) -> None:
        self._labelled: list[tuple[Block, dict[str, Label]]] = []

    def __call__(self, component: Part, **labels: Label) -> Part:
        """Give a component its texts, as in `labels(gr.Button(), value="save")`; returns it."""
        for name, text in _texts(Texts(DEFAULT_LANGUAGE), labels).items():
            setattr(component, name, text)
        self._labelled.append((component, labels))
        return component

    def follow(self, page: gr.Blocks) -> None:
        """Set them whenever the page is loaded."""
        page.load(self._in_language, None, [component for component, _ in self._labelled], queue=False, **QUIET)

    def _in_language(self, request: gr.Request) -> list[dict[str, Any]]:
        say = viewer_texts(request)
        return [gr.update(**_texts(say, labels)) for _, labels in self._labelled]


def heading(key: str) -> Callable[[Texts], str]:
    """A text as a heading, as HTML."""
    return lambda say: f"<h3>{say(key)}</h3>"


def _texts(say: Texts, labels: dict[str, Label]) -> dict[str, Any]:
    return {name: say(label) if isinstance(label, str) else label(say) for name, label in labels.items()}
