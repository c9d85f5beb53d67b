"""Takes images in: dropped anywhere on Inspect, or picked; a few at a time, each with its progress and its outcome."""

from collections.abc import Callable

import gradio as gr

from webapp.components.assets import script, template

from gradio.events import Dependency

class Uploader(gr.HTML):
    """Posts files to the REST interface and tells the page of what was kept (`images-added`).

    Args:
        add_samples: called on the server for "Try three sample images"; returns the new images' ids.
    """

    def __init__(self, add_samples: Callable[[object], list[int]]) -> None:
        super().__init__(
            html_template=template("uploader/uploader.html"),
            js_on_load=script("uploader/transfer.js", "uploader/uploader.js"),
            apply_default_css=False,
            elem_id="uploader",
            server_functions=[add_samples],
        )
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block

    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component
