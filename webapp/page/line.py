"""The line, a part of Settings: which inspected images are kept, the scale, and what file names say."""

from typing import Any

import gradio as gr

from db.errors import BadSetting
from db.projects.line_settings import KEEP
from db.projects.projects import get_project
from webapp.page.events import QUIET
from webapp.page.project import current_project
from webapp.page.toasts import inform, warn
from webapp.texts import Texts
from webapp.texts.labels import Labels, heading
from webapp.texts.translation import translated
from webapp.texts.viewer import viewer_texts
from workers.context import get_store
from workers.projects.changes import change_project

_Shown = tuple[dict[str, Any], int, float | None, str]


def build_line(tab: gr.Tab, labels: Labels) -> None:
    """Lay out the part; it is read anew when its tab is opened."""
    labels(gr.HTML(apply_default_css=False), value=heading("line.title"))
    keep = labels(gr.Dropdown(list(KEEP), elem_id="line-keep"), label="line.keep", info="line.keep.info")
    with gr.Row():
        every = labels(gr.Number(precision=0, elem_id="line-keep-every", min_width=90), label="line.keep_every")
        scale = labels(gr.Number(elem_id="line-px-per-mm", min_width=90), label="line.px_per_mm")
    pattern = labels(
        gr.Textbox(elem_id="line-name-pattern", max_lines=1), label="line.name_pattern", info="line.name_pattern.info"
    )
    save = labels(gr.Button(elem_id="save-line"), value="line.save")
    fields = [keep, every, scale, pattern]
    tab.select(_read, None, fields, **QUIET)
    save.click(_save, fields, None, **QUIET)


def keep_choices(say: Texts) -> list[tuple[str, str]]:
    """Each rule in words, and its value."""
    return [(say(f"line.keep.{rule}"), rule) for rule in KEEP]


def _read(request: gr.Request) -> _Shown:
    with get_store().session(read_only=True) as session:
        stored = get_project(session, current_project(request)).settings
    keep = gr.update(choices=keep_choices(viewer_texts(request)), value=stored.get("keep", "all"))
    return keep, stored.get("keep_every", 1), stored.get("px_per_mm"), stored.get("name_pattern") or ""


def _save(keep: str, every: int | None, scale: float | None, pattern: str, request: gr.Request) -> None:
    say = viewer_texts(request)
    changes = {"keep": keep, "keep_every": every, "px_per_mm": scale, "name_pattern": pattern.strip()}
    try:
        change_project(get_store(), current_project(request), settings=changes)
        inform(say("line.saved"))
    except BadSetting as error:
        warn(translated(say, str(error)))
