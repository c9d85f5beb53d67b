"""All accounts, for admins, in Settings: make, change, disable; tokens; and who did what.

rows.js  a line for each account   users.js  the whole
"""

import gradio as gr

from webapp.ui.assets import start, template


def user_manager() -> gr.HTML:
    """Reads and changes everything over the REST interface, which refuses it to others than admins."""
    return gr.HTML(
        html_template=template("users/users.html"),
        js_on_load=start("users/users"),
        apply_default_css=False,
        elem_id="users",
    )
