"""Inspect: add images, look at score and map, correct the mask. The work is done by its components and REST."""

import gradio as gr

from webapp.api.dependencies import project_named
from webapp.components.filmstrip import filmstrip
from webapp.components.mask_canvas import mask_canvas
from webapp.components.uploader import uploader
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


def add_samples(project: str) -> list[int]:
    """Take in the three sample images as if they had been uploaded to this project; returns their ids."""
    store = get_store()
    project_id = project_named(store, project, to_add=True).id
    ids = [add_upload(store, project_id, name, data).image_id for name, data in sample_images().items()]
    dispatch.request_scoring(ids)
    return ids
