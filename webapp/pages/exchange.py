"""Import and export, a part of Settings: labels made elsewhere come in, and the project's own go out as a zip."""

import contextlib
import time
from collections.abc import Iterator
from html import escape
from pathlib import Path
from urllib.parse import urlencode

import gradio as gr

from webapp.access.callers import caller_of_event
from webapp.components.training.text import counted
from webapp.pages.events import QUIET
from webapp.project import current_project
from workers.context import get_store
from workers.errors import LabelFileError, NotFound
from workers.exchange.importing import LabelImport, Outcome

_FORMATS = {
    "mvtec": ("MVTec layout", "images and masks in test/ and ground_truth/; evaluate reads it as mvtec_like"),
    "masks": ("Plain folder", "normal/, anomalous/ and masks/; evaluate reads it as folder"),
    "coco": ("COCO", "images and annotations.json, one RLE for each region"),
    "csv": ("Table", "scores and labels of all images, corrected or not"),
}
_IMPORT_HELP = (
    "A zip in MVTec's layout, or of normal/, anomalous/ and masks/; COCO's JSON, alone or zipped with its images; or "
    "mask files named like images that are here. Images that are new are added."
)
# Seconds between two pictures of the progress.
_TELL_SECONDS = 0.3
# Refused files that are listed; the rest is counted.
_LISTED = 50


def build_exchange() -> gr.HTML:
    """Lay out the part; returns the place for `export_links`, which the tab fills when it is opened."""
    gr.HTML("<h3>Export</h3>", apply_default_css=False)
    links = gr.HTML(elem_id="export-links", apply_default_css=False)
    gr.HTML(
        f'<h3>Import labels</h3><p class="al-muted">{escape(_IMPORT_HELP)}</p>',
        elem_id="import-help",
        apply_default_css=False,
    )
    replace = gr.Checkbox(label="Replace what was said here; otherwise it stays", elem_id="import-replace")
    files = gr.File(
        label="Zip, JSON or masks",
        file_count="multiple",
        file_types=[".zip", ".json", "image"],
        height=120,
        elem_id="import-labels",
    )
    result = gr.HTML(elem_id="import-result", apply_default_css=False)
    imported = files.upload(_import, [files, replace], result, **QUIET)
    imported.then(lambda: None, None, files, **QUIET)  # ready for others
    return links


def export_links(project: str) -> str:
    """A link for each format, as HTML."""
    items = "".join(
        f'<li><a class="al-button al-small" download data-testid="export-{kind}" '
        f'href="/api/v1/export?{escape(urlencode({"project": project, "format": kind}))}">{name}</a>'
        f'<span class="al-muted">{about}</span></li>'
        for kind, (name, about) in _FORMATS.items()
    )
    return f'<ul class="al-exports">{items}</ul>'


def _import(paths: list[str], replace: bool, request: gr.Request) -> Iterator[str]:
    project_id, author = current_project(request), caller_of_event(request).name
    try:
        with contextlib.ExitStack() as stack:
            uploads = [(Path(path).name, stack.enter_context(Path(path).open("rb"))) for path in paths]
            labels = LabelImport(get_store(), project_id, uploads, replace=replace, author=author)
            yield import_progress(0, len(labels))
            outcomes, told_at = [], time.monotonic()
            for outcome in labels:
                outcomes.append(outcome)
                if time.monotonic() - told_at > _TELL_SECONDS:
                    yield import_progress(len(outcomes), len(labels))
                    told_at = time.monotonic()
        yield import_result(outcomes)
    except (LabelFileError, NotFound) as error:
        yield f'<p class="al-error-text" role="alert" data-testid="import-error">{escape(str(error))}</p>'
    finally:
        for path in paths:
            Path(path).unlink(missing_ok=True)  # Gradio would keep it as long as the server runs


def import_progress(done: int, total: int) -> str:
    """A bar, as HTML."""
    share = round(100 * done / total)
    return (
        '<div class="al-bar al-bar-large" role="progressbar" aria-label="Import" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{share}" style="--share:{share}%"><i></i></div><p class="al-muted">{done} of {total}</p>'
    )


def import_result(outcomes: list[Outcome]) -> str:
    """What became of the labels, as HTML: counts, and the files that were refused with the reasons."""
    refused = [one for one in outcomes if one.outcome == "refused"]
    counts = {
        "imported": sum(one.outcome == "imported" for one in outcomes),
        "had this label already": sum(one.outcome == "unchanged" for one in outcomes),
        "kept what was said here": sum(one.outcome == "kept" for one in outcomes),
        "refused": len(refused),
    }
    words = [f"{count} {what}" for what, count in counts.items() if count]
    added = sum(one.added for one in outcomes)
    if added:
        words.append(f"{counted(added, 'new image', 'new images')}")
    rows = "".join(f"<li><b>{escape(one.path)}</b> {escape(one.error)}</li>" for one in refused[:_LISTED])
    more = f"<li>… and {len(refused) - _LISTED} more</li>" if len(refused) > _LISTED else ""
    listed = f'<ul class="al-refused" data-testid="import-refused">{rows}{more}</ul>' if rows else ""
    return f'<p role="status" data-testid="import-summary">{", ".join(words)}</p>{listed}'
