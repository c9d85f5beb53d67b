"""Images of more than 8 bits, a part of Settings: which of their values are black and white, the same for all."""

from html import escape

import gradio as gr

from db.errors import BadSetting
from db.projects.depth import depth_of
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

_Shown = tuple[str, float | None, float | None]


def build_depth(tab: gr.Tab, labels: Labels) -> None:
    """Lay out the part; it is read anew when its tab is opened."""
    labels(gr.HTML(apply_default_css=False), value=heading("depth.title"))
    rule = gr.HTML(elem_id="depth-rule", apply_default_css=False)
    with gr.Row():
        low = labels(gr.Number(elem_id="depth-low", min_width=90), label="depth.low", info="depth.info")
        high = labels(gr.Number(elem_id="depth-high", min_width=90), label="depth.high", info="depth.info")
    save = labels(gr.Button(elem_id="save-depth"), value="depth.save")
    tab.select(_read, None, [rule, low, high], **QUIET)
    save.click(_save, [low, high], [rule, low, high], **QUIET)


def depth_rule(say: Texts, depth: tuple[float, float] | None) -> str:
    """The rule in a sentence, and what it does not reach, as HTML; None: no image has set it yet."""
    words = say("depth.none") if depth is None else say("depth.rule", low=f"{depth[0]:g}", high=f"{depth[1]:g}")
    unseen = f'<p class="al-muted" data-testid="depth-unseen">{escape(say("depth.unseen"))}</p>'
    return f'<p class="al-rule" data-testid="depth-rule">{escape(words)}</p>{unseen}'


def _read(request: gr.Request) -> _Shown:
    with get_store().session(read_only=True) as session:
        depth = depth_of(get_project(session, current_project(request)))
    low, high = depth or (None, None)
    return depth_rule(viewer_texts(request), depth), low, high


def _save(low: float | None, high: float | None, request: gr.Request) -> _Shown:
    say = viewer_texts(request)
    if low is None or high is None:
        warn(say("depth.numbers_needed"))
        return _read(request)
    try:
        change_project(get_store(), current_project(request), settings={"depth": [low, high]})
        inform(say("depth.saved"))
    except BadSetting as error:
        warn(translated(say, str(error)))
    return _read(request)
