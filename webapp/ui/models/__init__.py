"""The models, for admins, in Settings: choose, fetch, put to use, go back; and one line of it in Inspect.

words.js  sizes and times in words   models.js  the whole   line.js  the line in Inspect
"""

import gradio as gr

from webapp.ui.assets import start, template


def model_manager() -> gr.HTML:
    """Reads and changes everything over the REST interface, which refuses changes to others than admins."""
    return gr.HTML(
        html_template=template("models/models.html"),
        js_on_load=start("models/models"),
        apply_default_css=False,
        elem_id="models",
    )


def model_line() -> gr.HTML:
    """What goes on with the model, or the next better one, which can be sent away for good."""
    return gr.HTML(
        html_template=template("models/line.html"),
        js_on_load=start("models/line"),
        apply_default_css=False,
        elem_id="model-line",
    )
