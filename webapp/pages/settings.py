"""Settings: projects, labels, thresholds and schedule, the backbone in use, workers and queues, and users."""

from html import escape
from typing import Any

import gradio as gr

from db.errors import BadSetting
from db.projects import get_project, update_settings
from db.worker_reports import worker_reports
from settings import Settings, get_settings
from webapp.components.operations import operations_html
from webapp.components.projects import project_manager
from webapp.components.training.schedule import schedule_rule
from webapp.components.users import user_manager
from webapp.pages.events import QUIET
from webapp.pages.exchange import build_exchange, export_links
from webapp.project import current_project
from workers.context import get_store
from workers.readiness import engine_in_use
from workers.watching import lengths_or_none

_BACKBONE_HELP = """
<p>Another one is a setting of the server, read when it starts. Set it, then start the server again:</p>
<pre>ANOMALYLOOP_BACKBONE=ViT-L-14-336-quickgelu/openai make run</pre>
<ul>
<li><code>embedded</code>: comes with the project, needs no network and no GPU.</li>
<li><code>model/tag</code>: any open_clip model; its weights are fetched from the hub.</li>
<li><code>model@file</code>: an open_clip model with weights from a local file.</li>
</ul>
<p>Prompts belong to the backbone they were tuned for. After a change, the versions of the other backbone stay in the
list and can be used again when it is back.</p>
"""


def build_settings(tab: gr.Tab) -> None:
    """Lay out the place; it is read anew when its tab is opened."""
    with gr.Row(elem_id="settings", equal_height=False):
        with gr.Column(elem_id="settings-projects"):
            project_manager()
            links = build_exchange()
        with gr.Column(elem_id="settings-project"):
            gr.HTML("<h3>Thresholds</h3>", apply_default_css=False)
            threshold = gr.Slider(
                0, 1, step=0.01, label="Image threshold", elem_id="threshold",
                info="An image whose score reaches this is called anomalous.",
            )  # fmt: skip
            map_threshold = gr.Slider(
                0, 1, step=0.005, label="Map threshold", elem_id="project-map-threshold",
                info="Pixels whose map value reaches this are in the mask when a result is accepted.",
            )  # fmt: skip
            gr.HTML("<h3>Retraining by itself</h3>", apply_default_css=False)
            schedule = gr.Checkbox(label="Start runs by themselves", elem_id="schedule")
            after = gr.Number(label="After this many new corrections", minimum=1, precision=0, elem_id="retrain-after")
            hours = gr.Number(
                label="Or when the oldest new correction is this many hours old", minimum=0.01, elem_id="retrain-hours"
            )
            rule = gr.HTML(elem_id="schedule-rule", apply_default_css=False)
            save = gr.Button("Save settings", variant="primary", elem_id="save-settings")
            user_manager()
        with gr.Column(elem_id="settings-backbone"):
            gr.HTML("<h3>Backbone</h3>", apply_default_css=False)
            backbone = gr.HTML(elem_id="backbone", apply_default_css=False)
            gr.HTML(_BACKBONE_HELP, elem_id="backbone-help", apply_default_css=False)
            gr.HTML("<h3>Workers and queues</h3>", apply_default_css=False)
            operations = gr.HTML(elem_id="operations", apply_default_css=False)
    fields = [threshold, map_threshold, schedule, after, hours]
    tab.select(_read, None, [*fields, rule, backbone, links], **QUIET)
    tab.select(_operations, None, operations, queue=False, **QUIET)
    save.click(_save, fields, rule, **QUIET)
    for field in (schedule, after, hours):
        field.change(schedule_rule, [schedule, after, hours], rule, queue=False, **QUIET)


def project_settings(stored: dict[str, Any], defaults: Settings) -> tuple[float, float, bool, int, float]:
    """The project's settings, and the server's where the project has none: in the order of the fields."""
    return (
        stored["threshold"],
        stored["map_threshold"],
        stored.get("schedule", True),
        stored.get("retrain_after", defaults.retrain_after),
        stored.get("retrain_hours", defaults.retrain_hours),
    )


def backbone_html(engine: dict[str, Any], setting: str) -> str:
    """Name, fingerprint, device, precision and what the backbone is good for.

    Args:
        engine: as `workers.engine_host.engine_status` gives it.
        setting: the value of ANOMALYLOOP_BACKBONE.
    """
    facts = {
        "Name": engine["name"],
        "Fingerprint": engine["fingerprint"],
        "Runs on": engine["device"],
        "Computes in": engine["precision"],
        "State": engine["state"],
        "Setting": f"ANOMALYLOOP_BACKBONE={setting}",
        "Error": engine["error"],
    }
    rows = "".join(
        f"<dt>{name}</dt><dd><code>{escape(str(value))}</code></dd>" for name, value in facts.items() if value
    )
    about = escape(str(engine["description"]))
    return f'<div data-testid="backbone"><p>{about}</p><dl class="al-facts-list">{rows}</dl></div>'


def _read(request: gr.Request) -> tuple[float, float, bool, int, float, str, str, str]:
    with get_store().session(read_only=True) as session:
        project = get_project(session, current_project(request))
    values = project_settings(project.settings, get_settings())
    backbone = backbone_html(engine_in_use(), get_settings().backbone)
    return *values, schedule_rule(*values[2:]), backbone, export_links(project.name)


def _operations() -> str:
    """By itself, as it waits for a broker that does not answer."""
    with get_store().session(read_only=True) as session:
        reports = worker_reports(session)
    return operations_html(reports, lengths_or_none())


def _save(
    threshold: float, map_threshold: float, schedule: bool, after: float, hours: float, request: gr.Request
) -> str:
    if not after or not hours:
        gr.Warning("Both numbers of the schedule are needed, and each is more than zero.")
        return schedule_rule(schedule, after, hours)
    changes = {
        "threshold": float(threshold),
        "map_threshold": float(map_threshold),
        "schedule": schedule,
        "retrain_after": int(after),
        "retrain_hours": float(hours),
    }
    try:
        with get_store().session() as session:
            update_settings(session, current_project(request), changes)
        gr.Info("The settings are saved and count from now on.")
    except BadSetting as error:
        gr.Warning(str(error))
    return schedule_rule(schedule, after, hours)
