"""Takes images in: dropped, pasted or picked; files, folders and zips; each with its progress and its outcome.

sources.js   where images come from   zip.js          what is in a zip, zip_names.js  and what that is called
transfer.js  to the server            upload_list.js  what happened to each
uploader.js  the whole
"""

import gradio as gr

from webapp.ui.assets import start, template


def uploader() -> gr.HTML:
    """Posts files to the REST interface and tells the page of what was kept (`images-added`)."""
    return gr.HTML(
        html_template=template("uploader/uploader.html"),
        js_on_load=start("uploader/uploader"),
        apply_default_css=False,
        elem_id="uploader",
    )
