"""The project's regions of interest, in Settings: seen, sent as files, removed.

regions.js  what is asked of the server   interest.js  the whole
"""

import gradio as gr

from webapp.ui.assets import start, template


def interest_manager() -> gr.HTML:
    """Reads and changes everything over the REST interface, which refuses changes to others than admins."""
    return gr.HTML(
        html_template=template("interest/interest.html"),
        js_on_load=start("interest/interest"),
        apply_default_css=False,
        elem_id="interest",
    )
