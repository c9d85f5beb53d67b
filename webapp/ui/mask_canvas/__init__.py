"""The canvas of Inspect: image, map, threshold, and the mask that a person paints.

Python only delivers it. Its JavaScript asks the REST interface for the image, the map and the mask, and saves the
mask there: bytes never pass through Gradio. The files, by concern:

    bitmap.js      the binary mask                history.js      undo and redo
    raster.js      pixels under a brush           shapes.js       pixels in a rectangle, in a polygon
    regions.js     connected regions              morphology.js   grow, shrink, fill holes
    map_field.js   the map at any pixel           colours.js      colours of map and mask
    shown_map.js   which of its maps is shown
    png.js         masks as PNG, both ways        picture.js      the image
    view.js        zoom and pan                   coverage.js     the mask as device pixels
    layers.js      what is drawn, and when        sketch.js       the shape that is not finished yet
    *_tool.js      one tool each                  tools.js        which is in hand
    cursor.js      ring, and the keyboard's cross pointers.js     mouse, pen and fingers
    keys.js        the keyboard                   help.js         its sheet
    region_use.js  the mask as a region of interest
    whole_mask.js  what is done to all of it      look.js         colours, light, before and after
    kinds.js       kinds of defect of regions     kind_row.js     their chips, and marks on the stage
    marked_regions.js  the mask's regions, as the server has them
    records.js     what is asked of the server    ahead.js        images fetched before they are asked for
    drafts.js      unsaved work, in the browser   last_words.js   what of it was not written yet
    kept_notice.js tells of it on other images
    decisions.js   save, accept, normal           news.js         what changes elsewhere
    panel.js       buttons, sliders, readouts     words.js        its sentences
    dialog.js      questions                      preferences.js  choices that outlive a visit
    canvas.js      the whole, step by step        main.js         starts it
"""

import gradio as gr

from webapp.ui.assets import start, template


def mask_canvas() -> gr.HTML:
    """Shows the image that the page's `open-image` message names. Its template never changes, so nothing redraws it."""
    return gr.HTML(
        html_template=template("mask_canvas/mask_canvas.html"),
        js_on_load=start("mask_canvas/main"),
        apply_default_css=False,
        elem_id="mask-canvas",
    )
