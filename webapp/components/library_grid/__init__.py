"""All images of the project as a grid of thumbnails, by status and order."""

import gradio as gr

from webapp.components.assets import script, template


def library_grid() -> gr.HTML:
    """Lists images from the REST interface; a click opens one in Inspect."""
    return gr.HTML(
        html_template=template("library_grid/library_grid.html"),
        js_on_load=script("shared/image_list.js", "library_grid/library_grid.js"),
        apply_default_css=False,
        elem_id="library-grid",
    )
