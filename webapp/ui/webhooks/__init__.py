"""Who is told of what happens, for admins, in Settings: webhooks and brokers, made, tried, switched off and deleted.

rows.js  a line for each   webhooks.js  the whole
"""

import gradio as gr

from webapp.ui.assets import start, template


def webhook_manager() -> gr.HTML:
    """Reads and changes everything over the REST interface, which refuses it to others than admins."""
    return gr.HTML(
        html_template=template("webhooks/webhooks.html"),
        js_on_load=start("webhooks/webhooks"),
        apply_default_css=False,
        elem_id="webhooks",
    )
