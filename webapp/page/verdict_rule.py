"""The verdict rule, a part of Settings: by score or by regions, tried on all images, and saved with one click."""

from typing import Any

import gradio as gr

from db.errors import BadSetting
from db.projects.projects import get_project
from db.projects.verdict_rule import KINDS, MOST_AREAS
from webapp.page.events import QUIET
from webapp.page.project import current_project
from webapp.page.toasts import inform, warn
from webapp.texts import Texts
from webapp.texts.labels import Labels, heading
from webapp.texts.translation import translated
from webapp.texts.viewer import viewer_texts
from webapp.ui.assets import start
from webapp.ui.verdict_rule import trial_html
from workers.context import get_store
from workers.errors import NotReady
from workers.projects.changes import change_project
from workers.thresholds.rule_trial import try_rule

_Shown = tuple[dict[str, Any], float | None, int, float | None, str, str]


def build_verdict_rule(tab: gr.Tab, labels: Labels, map_threshold: gr.Slider) -> None:
    """Lay out the part; it is read anew when its tab is opened.

    Args:
        tab: of Settings.
        labels: for its texts.
        map_threshold: the field above, which regions go by: it is tried and saved with the rule.
    """
    labels(gr.HTML(apply_default_css=False), value=heading("verdict_rule.title"))
    kind = labels(gr.Radio(list(KINDS), elem_id="verdict-rule"), label="verdict_rule.kind", info="verdict_rule.info")
    with gr.Row():
        area = labels(gr.Number(minimum=0, elem_id="rule-area", min_width=90), label="verdict_rule.area")
        more_than = labels(
            gr.Number(minimum=0, maximum=MOST_AREAS - 1, precision=0, elem_id="rule-more-than", min_width=90),
            label="verdict_rule.more_than",
        )
        single = labels(gr.Number(minimum=0, elem_id="rule-single", min_width=90), label="verdict_rule.single")
    unit = gr.HTML(elem_id="rule-unit", apply_default_css=False)
    with gr.Row():
        try_it = labels(gr.Button(elem_id="try-verdict-rule"), value="verdict_rule.try")
        save = labels(gr.Button(elem_id="save-verdict-rule"), value="verdict_rule.save")
    found = gr.HTML(elem_id="rule-trial", apply_default_css=False, js_on_load=start("verdict_rule/trial"))
    fields = [kind, area, more_than, single]
    tab.select(_read, None, [*fields, unit, found], **QUIET)
    try_it.click(_try, [*fields, map_threshold], found, **QUIET)
    save.click(_save, [*fields, map_threshold], None, **QUIET)


def _read(request: gr.Request) -> _Shown:
    with get_store().session(read_only=True) as session:
        stored = get_project(session, current_project(request)).settings
    say, rule = viewer_texts(request), stored.get("verdict_rule", {"kind": "score"})
    choices = [(say(f"verdict_rule.{kind}"), kind) for kind in KINDS]
    kind = gr.update(choices=choices, value=rule["kind"])
    unit = rule.get("unit") or ("mm2" if stored.get("px_per_mm") else "px2")
    return kind, rule.get("area"), rule.get("more_than", 0), rule.get("single"), _unit_html(say, unit), ""


def _unit_html(say: Texts, unit: str) -> str:
    return f'<p class="al-muted" data-testid="rule-unit">{say(f"verdict_rule.unit.{unit}")}</p>'


def _changes(
    kind: str, area: float | None, more_than: int | None, single: float | None, map_threshold: float
) -> dict[str, Any]:
    rule: dict[str, Any] = {"kind": kind}
    if kind == "regions":
        rule |= {"area": area, "more_than": more_than or 0, "single": single}
    return {"verdict_rule": rule, "map_threshold": float(map_threshold)}


def _try(
    kind: str,
    area: float | None,
    more_than: int | None,
    single: float | None,
    map_threshold: float,
    request: gr.Request,
) -> str:
    say = viewer_texts(request)
    changes = _changes(kind, area, more_than, single, map_threshold)
    try:
        return trial_html(say, try_rule(get_store(), current_project(request), changes))
    except (BadSetting, NotReady) as error:
        warn(translated(say, str(error)))
        return ""


def _save(
    kind: str,
    area: float | None,
    more_than: int | None,
    single: float | None,
    map_threshold: float,
    request: gr.Request,
) -> None:
    say = viewer_texts(request)
    changes = _changes(kind, area, more_than, single, map_threshold)
    try:
        change_project(get_store(), current_project(request), settings=changes)
        inform(say("verdict_rule.saved"))
    except BadSetting as error:
        warn(translated(say, str(error)))
