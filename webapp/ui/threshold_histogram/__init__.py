"""The threshold: a histogram of scores (or of map values) by label, with the line to drag, and what it would do.

outcome.js  what a threshold does      histogram.js  the picture
threshold.js  the whole
"""

import gradio as gr

from webapp.ui.assets import start, template


def threshold_histogram() -> gr.HTML:
    """Shown and hidden by the page's `show-threshold` message; reads and writes `/api/v1/threshold`."""
    return gr.HTML(
        html_template=template("threshold_histogram/threshold.html"),
        js_on_load=start("threshold_histogram/threshold"),
        apply_default_css=False,
        elem_id="threshold-panel",
    )
