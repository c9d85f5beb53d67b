"""Inspect: add images, look at score and map, correct the mask. The work is done by its components and REST."""

import gradio as gr

from webapp.ui.filmstrip import filmstrip
from webapp.ui.mask_canvas import mask_canvas
from webapp.ui.models import model_line
from webapp.ui.uploader import uploader


def build_inspect() -> None:
    """Lay out the place: images on the left, the canvas beside them."""
    with gr.Row(elem_id="inspect"):
        with gr.Column(elem_id="inspect-images", scale=0, min_width=248):
            uploader()
            model_line()
            filmstrip()
        with gr.Column(elem_id="inspect-canvas"):
            mask_canvas()
