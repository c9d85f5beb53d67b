"""All images of the project as a grid of thumbnails, by status and order."""

import gradio as gr

from webapp.components.assets import script, template

from gradio.events import Dependency

class LibraryGrid(gr.HTML):
    """Lists images from the REST interface; a click opens one in Inspect."""

    def __init__(self) -> None:
        super().__init__(
            html_template=template("library_grid/library_grid.html"),
            js_on_load=script("shared/image_list.js", "library_grid/library_grid.js"),
            apply_default_css=False,
            elem_id="library-grid",
        )
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block

    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component
