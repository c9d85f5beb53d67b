"""The language of the page, in the bar; this browser keeps the choice."""

import gradio as gr

from webapp.ui.assets import start, template


def language_switch() -> gr.HTML:
    """A list of the languages that there are texts in; choosing one loads the page anew in it."""
    return gr.HTML(
        html_template=template("language/language.html"),
        js_on_load=start("language/language"),
        apply_default_css=False,
        elem_id="language-switch",
    )
