"""Which project the page shows, in the bar; and all projects with what can be done with them, in Settings."""

import gradio as gr

from webapp.ui.assets import script, template


def project_switcher() -> gr.HTML:
    """A list of the projects in the bar, where choosing one opens the page anew on it; and who is signed in."""
    return gr.HTML(
        html_template=template("projects/switcher.html"),
        js_on_load=script("shared/dialog.js", "projects/switcher.js", "account/password.js", "account/account.js"),
        apply_default_css=False,
        elem_id="project-switcher",
    )


def project_manager() -> gr.HTML:
    """All projects from the REST interface: make, open, rename, archive, restore."""
    return gr.HTML(
        html_template=template("projects/manager.html"),
        js_on_load=script("projects/manager.js"),
        apply_default_css=False,
        elem_id="project-manager",
    )
