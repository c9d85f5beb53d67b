"""The texts for whoever looks at a page, in an event of Gradio's."""

import gradio as gr

from webapp.texts import Texts, texts_for


def viewer_texts(request: gr.Request) -> Texts:
    """The texts for the viewer of the page that this event comes from."""
    return texts_for(dict(request.cookies), dict(request.headers))
