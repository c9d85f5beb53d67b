"""All images of the project as a grid of thumbnails: filtered, ordered, selected, and decided on by the hundred.

cards.js      one card an image      selection.js  which are selected
filters.js    what is asked for      batch.js      one action on many
grid_keys.js  the keyboard           library_grid.js  the whole
"""

import gradio as gr

from webapp.ui.assets import start, template


def library_grid() -> gr.HTML:
    """Lists images from the REST interface; a click opens one in Inspect."""
    return gr.HTML(
        html_template=template("library_grid/library_grid.html"),
        js_on_load=start("library_grid/library_grid"),
        apply_default_css=False,
        elem_id="library-grid",
    )
