"""Import and export, a part of Settings: labels made elsewhere come in, and the project's own go out as a zip."""

import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from html import escape
from pathlib import Path
from urllib.parse import urlencode

import gradio as gr

from webapp.access.callers import caller_of_event
from webapp.page.events import QUIET
from webapp.page.project import current_project
from webapp.texts import Texts
from webapp.texts.labels import Labels, heading
from webapp.texts.translation import translated
from webapp.texts.viewer import viewer_texts
from workers.context import get_store
from workers.errors import LabelFileError, NotFound
from workers.exchange.importing import LabelImport, Outcome

_FORMATS = ("mvtec", "masks", "coco", "csv")
_OUTCOMES = ("imported", "unchanged", "kept", "refused")
# Seconds between two pictures of the progress.
_TELL_SECONDS = 0.3
# Refused files that are listed; the rest is counted.
_LISTED = 50


def build_exchange(labels: Labels) -> gr.HTML:
    """Lay out the part; returns the place for `export_links`, which the tab fills when it is opened."""
    labels(gr.HTML(apply_default_css=False), value=heading("export.title"))
    links = gr.HTML(elem_id="export-links", apply_default_css=False)
    labels(gr.HTML(elem_id="import-help", apply_default_css=False), value=_import_help)
    replace = labels(gr.Checkbox(elem_id="import-replace"), label="import.replace")
    files = labels(
        gr.File(file_count="multiple", file_types=[".zip", ".json", "image"], height=120, elem_id="import-labels"),
        label="import.files",
    )
    result = gr.HTML(elem_id="import-result", apply_default_css=False)
    imported = files.upload(_import, [files, replace], result, **QUIET)
    imported.then(lambda: None, None, files, **QUIET)  # ready for others
    return links


def _import_help(say: Texts) -> str:
    return f'<h3>{say("import.title")}</h3><p class="al-muted">{escape(say("import.help"))}</p>'


def export_links(say: Texts, project: str) -> str:
    """A link for each format, as HTML."""
    items = "".join(
        f'<li><a class="al-button al-small" download data-testid="export-{kind}" '
        f'href="/api/v1/export?{escape(urlencode({"project": project, "format": kind}))}">{say(f"export.{kind}")}</a>'
        f'<span class="al-muted">{say(f"export.{kind}.about")}</span></li>'
        for kind in _FORMATS
    )
    return f'<ul class="al-exports">{items}</ul>'


def _import(paths: list[str], replace: bool, request: gr.Request) -> Iterator[str]:
    project_id, say, author = current_project(request), viewer_texts(request), caller_of_event(request).name
    try:
        with contextlib.ExitStack() as stack:
            uploads = [(Path(path).name, stack.enter_context(Path(path).open("rb"))) for path in paths]
            labels = LabelImport(get_store(), project_id, uploads, replace=replace, author=author)
            yield import_progress(say, 0, len(labels))
            outcomes, told_at = [], time.monotonic()
            for outcome in labels:
                outcomes.append(outcome)
                if time.monotonic() - told_at > _TELL_SECONDS:
                    yield import_progress(say, len(outcomes), len(labels))
                    told_at = time.monotonic()
        yield import_result(say, outcomes)
    except (LabelFileError, NotFound) as error:
        reason = escape(translated(say, str(error)))
        yield f'<p class="al-error-text" role="alert" data-testid="import-error">{reason}</p>'
    finally:
        for path in paths:
            Path(path).unlink(missing_ok=True)  # Gradio would keep it as long as the server runs


def import_progress(say: Texts, done: int, total: int) -> str:
    """A bar, as HTML."""
    share = round(100 * done / total)
    return (
        f'<div class="al-bar al-bar-large" role="progressbar" aria-label="{say("import.progress")}" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{share}" style="--share:{share}%"><i></i></div>'
        f'<p class="al-muted">{say("progress", done=done, count=total)}</p>'
    )


def import_result(say: Texts, outcomes: list[Outcome]) -> str:
    """What became of the labels, as HTML: counts, the files that were refused with the reasons, and what to look at."""
    refused = [one for one in outcomes if one.outcome == "refused"]
    counts: Counter[str] = Counter(one.outcome for one in outcomes)
    words = [say(f"import.{outcome}", number=counts[outcome]) for outcome in _OUTCOMES if counts[outcome]]
    added = sum(one.added for one in outcomes)
    if added:
        words.append(say("import.added", count=added))
    noted = [one for one in outcomes if one.note and one.outcome != "refused"]
    return (
        f'<p role="status" data-testid="import-summary">{", ".join(words)}</p>'
        + _listed(say, "import-refused", [(one.path, one.error) for one in refused])
        + (f"<h4>{say('import.notes')}</h4>" if noted else "")
        + _listed(say, "import-noted", [(one.path, one.note) for one in noted])
    )


def _listed(say: Texts, name: str, told: list[tuple[str, str]]) -> str:
    """Files with a sentence each, as HTML; empty where there are none."""
    rows = "".join(f"<li><b>{escape(path)}</b> {escape(translated(say, words))}</li>" for path, words in told[:_LISTED])
    more = f"<li>{say('import.more', number=len(told) - _LISTED)}</li>" if len(told) > _LISTED else ""
    return f'<ul class="al-refused" data-testid="{name}">{rows}{more}</ul>' if rows else ""
