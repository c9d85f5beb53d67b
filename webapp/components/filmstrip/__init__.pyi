"""The images beside the canvas: thumbnail, score, verdict; knows what is next and what was before."""

import gradio as gr

from webapp.components.assets import script, template

from gradio.events import Dependency

class Filmstrip(gr.HTML):
    """Lists the project's images from the REST interface and opens them in the canvas."""

    def __init__(self) -> None:
        super().__init__(
            html_template=template("filmstrip/filmstrip.html"),
            js_on_load=script("shared/image_list.js", "filmstrip/filmstrip.js"),
            apply_default_css=False,
            elem_id="filmstrip",
        )
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block

    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component
