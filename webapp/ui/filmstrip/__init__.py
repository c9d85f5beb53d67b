"""The images beside the canvas: thumbnail, score, verdict; knows what is next and what was before."""

import gradio as gr

from webapp.ui.assets import start, template


def filmstrip() -> gr.HTML:
    """Lists the project's images from the REST interface and opens them in the canvas."""
    return gr.HTML(
        html_template=template("filmstrip/filmstrip.html"),
        js_on_load=start("filmstrip/filmstrip"),
        apply_default_css=False,
        elem_id="filmstrip",
    )
