"""Inspect: add images, look at score and map, correct the mask. The work is done by its components and REST."""

import gradio as gr

from webapp.components.filmstrip import filmstrip
from webapp.components.mask_canvas import mask_canvas
from webapp.components.models import model_line
from webapp.components.uploader import uploader


def build_inspect() -> None:
    """Lay out the place: images on the left, the canvas beside them."""
    with gr.Row(elem_id="inspect"):
        with gr.Column(elem_id="inspect-images", scale=0, min_width=248):
            uploader()
            model_line()
            filmstrip()
        with gr.Column(elem_id="inspect-canvas"):
            mask_canvas()
