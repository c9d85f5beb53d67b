"""Takes images in: dropped anywhere on Inspect, or picked; a few at a time, each with its progress and its outcome."""

from collections.abc import Callable

import gradio as gr

from webapp.components.assets import script, template


def uploader(add_samples: Callable[[str], list[int]]) -> gr.HTML:
    """Posts files to the REST interface and tells the page of what was kept (`images-added`).

    Args:
        add_samples: called on the server with the project's name for "Try three sample images"; returns the ids of
            the new images.
    """
    return gr.HTML(
        html_template=template("uploader/uploader.html"),
        js_on_load=script("uploader/transfer.js", "uploader/uploader.js"),
        apply_default_css=False,
        elem_id="uploader",
        server_functions=[add_samples],
    )
