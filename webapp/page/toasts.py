"""What the page says in passing. Gradio shows such words as HTML, so whatever varies in them is made text here."""

from html import escape

import gradio as gr


def inform(words: str) -> None:
    """Something was done."""
    gr.Info(escape(words, quote=False))


def warn(words: str) -> None:
    """Something was not done, and why."""
    gr.Warning(escape(words, quote=False))


def refusal(words: str) -> gr.Error:
    """To be raised: the event ends with these words."""
    return gr.Error(escape(words, quote=False))
