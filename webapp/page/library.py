"""Library: all images at a glance, and the threshold that divides them."""

import gradio as gr

from webapp.ui.library_grid import library_grid
from webapp.ui.threshold_histogram import threshold_histogram


def build_library() -> None:
    """Lay out the place: the threshold, hidden until it is asked for, above the grid."""
    with gr.Column(elem_id="library"):
        threshold_histogram()
        library_grid()
