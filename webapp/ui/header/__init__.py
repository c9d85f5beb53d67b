"""The bar of the page: its name, which model is in use and what it is good for, and the run that is going on."""

from html import escape
from typing import Any

import gradio as gr

from db.tables.core import TuningRun
from webapp.texts import Texts
from webapp.texts.translation import translated
from webapp.ui.assets import start


def header() -> gr.HTML:
    """Shows what `header_html` made; remembers the open tab over a reload."""
    return gr.HTML(js_on_load=start("header/tabs"), apply_default_css=False, elem_id="header")


def header_html(say: Texts, engine: dict[str, Any], live_run: TuningRun | None) -> str:
    """The bar as HTML.

    Args:
        say: the viewer's texts.
        engine: as `workers.scoring.engine_host.engine_status` gives it.
        live_run: the run that is queued, running or evaluating.
    """
    return (
        '<div class="al-brand"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M19 8a8 8 0 1 0 1 4"/>'
        '<path d="M20 4v4.5h-4.5"/><circle cx="12" cy="12" r="2.6"/></svg>AnomalyLoop</div>'
        f'<div class="al-header-facts">{_run_chip(say, live_run)}{_model_line(say, engine)}</div>'
    )


def _model_line(say: Texts, engine: dict[str, Any]) -> str:
    state = str(engine["state"])
    if state == "ready":
        name, description = escape(str(engine["name"])), escape(translated(say, str(engine["description"])))
        fingerprint = escape(str(engine["fingerprint"]))
        text = (
            f'<span class="al-model-name"><b title="{name}">{name}</b> '
            f'<code title="{say("model.fingerprint", fingerprint=fingerprint)}">{fingerprint[:8]}</code></span>'
            f' <span class="al-model-about" title="{description}">{description}</span>'
        )
    else:
        error, words = escape(translated(say, str(engine["error"]))), say(f"model.{state.replace(' ', '_')}")
        text = (
            f'<span class="al-model-name"><b>{words}</b></span> '
            f'<span class="al-model-about" title="{error}">{error}</span>'
        )
    return (
        f'<div class="al-model" data-testid="model-line" data-state="{escape(state)}" role="status">'
        f'<i class="al-dot" aria-hidden="true"></i>{text}</div>'
    )


def _run_chip(say: Texts, run: TuningRun | None) -> str:
    if run is None:
        return ""
    words = say("run.chip", percent=round(100 * run.progress))
    return f'<div class="al-run-chip" data-testid="run-chip">{words}</div>'
