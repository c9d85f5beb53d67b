"""The canvas of Inspect: image, map, threshold, and the mask that a person paints.

Python only delivers it. Its JavaScript asks the REST interface for the image, the map and the mask, and saves the
mask there: bytes never pass through Gradio. The files, by concern:

    bitmap.js     the binary mask              history.js   undo and redo
    raster.js     which pixels a brush covers  png.js       masks as PNG, both ways
    map_field.js  the map at any pixel         colours.js   map values as colours
    picture.js    the image                    view.js      zoom and pan
    layers.js     what is drawn, and when      coverage.js  the mask as device pixels
    tools.js      the pointer                  keys.js      the keyboard
    panel.js      buttons, sliders, readouts   dialog.js    questions
    records.js    what is asked of the server  canvas.js    the whole, step by step
    news.js       what changes elsewhere       main.js      starts it
"""

import gradio as gr

from webapp.components.assets import script, template

_PARTS = (
    *("bitmap", "history", "raster", "map_field", "colours", "png", "picture", "view", "coverage", "layers", "tools"),
    *("keys", "dialog", "records", "panel", "canvas", "news", "main"),
)


def mask_canvas() -> gr.HTML:
    """Shows the image that the page's `open-image` message names. Its template never changes, so nothing redraws it."""
    return gr.HTML(
        html_template=template("mask_canvas/mask_canvas.html"),
        js_on_load=script(*(f"mask_canvas/{part}.js" for part in _PARTS)),
        apply_default_css=False,
        elem_id="mask-canvas",
    )
