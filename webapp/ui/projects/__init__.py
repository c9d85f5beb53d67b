"""Which project the page shows, in the bar; and all projects with what can be done with them, in Settings."""

import gradio as gr

from webapp.ui.assets import start, template


def project_switcher() -> gr.HTML:
    """A list of the projects in the bar, where choosing one opens the page anew on it; and who is signed in."""
    return gr.HTML(
        html_template=template("projects/switcher.html"),
        js_on_load=start("projects/switcher", "account/account"),
        apply_default_css=False,
        elem_id="project-switcher",
    )


def project_manager() -> gr.HTML:
    """All projects from the REST interface: make, open, rename, archive, restore."""
    return gr.HTML(
        html_template=template("projects/manager.html"),
        js_on_load=start("projects/manager"),
        apply_default_css=False,
        elem_id="project-manager",
    )
