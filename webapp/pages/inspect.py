"""Inspect: add images, look at score and map, correct the mask. The work is done by its components and REST."""

import gradio as gr

from webapp.components.filmstrip import filmstrip
from webapp.components.mask_canvas import mask_canvas
from webapp.components.uploader import uploader
from webapp.project import current_project
from webapp.samples import sample_images
from workers import dispatch
from workers.context import get_store
from workers.intake import add_upload


def build_inspect() -> None:
    """Lay out the place: images on the left, the canvas beside them."""
    with gr.Row(elem_id="inspect"):
        with gr.Column(elem_id="inspect-images", scale=0, min_width=248):
            uploader(add_samples)
            filmstrip()
        with gr.Column(elem_id="inspect-canvas"):
            mask_canvas()


def add_samples(_sent: object) -> list[int]:
    """Take in the three sample images as if they had been uploaded; returns their ids. The page sends nothing."""
    store, project_id = get_store(), current_project()
    ids = [add_upload(store, project_id, name, data).image_id for name, data in sample_images().items()]
    dispatch.request_scoring(ids)
    return ids
