"""The defect book of the project: its kinds, and how many corrections name each, as a table with bars.

book.js  the table and its buttons        kind_form.js  the form of a kind
"""

import gradio as gr

from webapp.ui.assets import start, template


def defect_book() -> gr.HTML:
    """All kinds from the REST interface: add, change, delete; images, regions and area of each."""
    return gr.HTML(
        html_template=template("defects/book.html"),
        js_on_load=start("defects/book"),
        apply_default_css=False,
        elem_id="defect-book",
    )
