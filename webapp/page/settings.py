"""Settings: projects, labels, thresholds and schedule, the backbone in use, workers and queues, and users."""

import math
from html import escape
from typing import Any

import gradio as gr

from db.errors import BadSetting
from db.images.pages import count_images
from db.operations.worker_reports import worker_reports
from db.projects.projects import get_project
from settings import Settings, get_settings
from webapp.page.approval import build_approval
from webapp.page.depth import build_depth
from webapp.page.events import QUIET
from webapp.page.exchange import build_exchange, export_links
from webapp.page.line import build_line
from webapp.page.project import current_project
from webapp.page.toasts import inform, warn
from webapp.page.verdict_rule import build_verdict_rule
from webapp.texts import Texts
from webapp.texts.labels import Labels, heading
from webapp.texts.translation import translated
from webapp.texts.viewer import viewer_texts
from webapp.ui.defects import defect_book
from webapp.ui.interest import interest_manager
from webapp.ui.models import model_manager
from webapp.ui.operations import operations_html
from webapp.ui.projects import project_manager
from webapp.ui.training.schedule import schedule_rule
from webapp.ui.users import user_manager
from webapp.ui.webhooks import webhook_manager
from workers.context import get_store
from workers.operations.figures import lengths_or_none
from workers.operations.readiness import AT_ONCE, engine_in_use
from workers.projects.changes import change_project

# Seconds after which another model that came into use is named here, too.
_BACKBONE_SECONDS = 4.0


def build_settings(tab: gr.Tab, labels: Labels) -> None:
    """Lay out the place; it is read anew when its tab is opened."""
    with gr.Row(elem_id="settings", equal_height=False):
        with gr.Column(elem_id="settings-projects"):
            project_manager()
            links = build_exchange(labels)
            defect_book()
            user_manager()
        with gr.Column(elem_id="settings-project"):
            labels(gr.HTML(apply_default_css=False), value=heading("settings.thresholds"))
            threshold = labels(
                gr.Slider(0, 1, step=0.01, elem_id="threshold"), label="image_threshold", info="settings.threshold.info"
            )
            map_threshold = labels(
                gr.Slider(0, 1, step=0.005, elem_id="project-map-threshold"),
                label="map_threshold",
                info="settings.map_threshold.info",
            )
            build_verdict_rule(tab, labels, map_threshold)
            labels(gr.HTML(apply_default_css=False), value=heading("settings.schedule.title"))
            schedule = labels(gr.Checkbox(elem_id="schedule"), label="settings.schedule")
            after = labels(gr.Number(minimum=1, precision=0, elem_id="retrain-after"), label="settings.retrain_after")
            hours = labels(gr.Number(minimum=0.01, elem_id="retrain-hours"), label="settings.retrain_hours")
            rule = gr.HTML(elem_id="schedule-rule", apply_default_css=False)
            save = labels(gr.Button(variant="primary", elem_id="save-settings"), value="settings.save")
            build_approval(tab, labels)
            interest_manager()
            build_line(tab, labels)
            build_depth(tab, labels)
        with gr.Column(elem_id="settings-backbone"):
            model_manager()
            labels(gr.HTML(apply_default_css=False), value=heading("settings.backbone"))
            backbone = gr.HTML(elem_id="backbone", apply_default_css=False)
            labels(gr.HTML(elem_id="backbone-help", apply_default_css=False), value=_about_versions)
            labels(gr.HTML(apply_default_css=False), value=heading("operations.title"))
            operations = gr.HTML(elem_id="operations", apply_default_css=False)
            webhook_manager()
    fields = [threshold, map_threshold, schedule, after, hours]
    tab.select(_read, None, [*fields, rule, backbone, links], **QUIET)
    gr.Timer(_BACKBONE_SECONDS).tick(_backbone, None, backbone, queue=False, **QUIET)
    tab.select(_operations, None, operations, queue=False, **QUIET)
    save.click(_save, fields, rule, **QUIET)
    for field in (schedule, after, hours):
        field.change(_rule, [schedule, after, hours], rule, queue=False, **QUIET)


def project_settings(stored: dict[str, Any], defaults: Settings) -> tuple[float, float, bool, int, float]:
    """The project's settings, and the server's where the project has none: in the order of the fields."""
    return (
        stored["threshold"],
        stored["map_threshold"],
        stored.get("schedule", True),
        stored.get("retrain_after", defaults.retrain_after),
        stored.get("retrain_hours", defaults.retrain_hours),
    )


def backbone_html(say: Texts, engine: dict[str, Any], setting: str) -> str:
    """Name, fingerprint, device, precision and what the backbone is good for.

    Args:
        say: the viewer's texts.
        engine: as `workers.scoring.engine_host.engine_status` gives it.
        setting: the value of ANOMALYLOOP_BACKBONE; empty where it is not set.
    """
    facts = {
        "name": engine["name"],
        "fingerprint": engine["fingerprint"],
        "device": engine["device"],
        "precision": engine["precision"],
        "state": engine["state"],
        "setting": f"ANOMALYLOOP_BACKBONE={setting}" if setting else "",
        "error": engine["error"],
    }
    rows = "".join(
        f"<dt>{say(f'backbone.{fact}')}</dt><dd><code>{escape(str(value))}</code></dd>"
        for fact, value in facts.items()
        if value
    )
    about = escape(translated(say, str(engine["description"])))
    return f'<div data-testid="backbone"><p>{about}</p><dl class="al-facts-list">{rows}</dl></div>'


def _about_versions(say: Texts) -> str:
    return f"<p>{say('backbone.prompts')}</p>"


def _read(request: gr.Request) -> tuple[float, float, bool, int, float, str, str, str]:
    with get_store().session(read_only=True) as session:
        project = get_project(session, current_project(request))
    values = project_settings(project.settings, get_settings())
    say = viewer_texts(request)
    return *values, schedule_rule(say, *values[2:]), _backbone(request), export_links(say, project.name)


def _backbone(request: gr.Request) -> str:
    settings, say, engine = get_settings(), viewer_texts(request), engine_in_use(AT_ONCE)
    set_ = settings.backbone if settings.backbone_is_set else ""
    with get_store().session(read_only=True) as session:
        images = count_images(session, current_project(request))
    return backbone_html(say, engine, set_) + cache_html(say, engine.get("cache_room", 0), images)


def cache_html(say: Texts, room: int, images: int) -> str:
    """How many images' features are kept, and what to do where the project has more; empty where it is not known.

    Args:
        say: the viewer's texts.
        room: images that the feature cache is enough for; 0: not known.
        images: of the project.
    """
    if not room:
        return ""
    if images <= room:
        return f'<p data-testid="cache">{say("cache.enough", room=room)}</p>'
    needed = math.ceil(1.1 * get_settings().feature_cache_gb * images / room)
    words = say("cache.small", room=room, images=images, gigabytes=needed)
    return f'<p data-testid="cache" role="status">{words}</p>'


def _rule(schedule: bool, after: float | None, hours: float | None, request: gr.Request) -> str:
    return schedule_rule(viewer_texts(request), schedule, after, hours)


def _operations(request: gr.Request) -> str:
    """By itself, as it waits for a broker that does not answer."""
    with get_store().session(read_only=True) as session:
        reports = worker_reports(session)
    return operations_html(viewer_texts(request), reports, lengths_or_none())


def _save(
    threshold: float, map_threshold: float, schedule: bool, after: float, hours: float, request: gr.Request
) -> str:
    say = viewer_texts(request)
    if not after or not hours:
        warn(say("rule.numbers_needed"))
        return schedule_rule(say, schedule, after, hours)
    changes = {
        "threshold": float(threshold),
        "map_threshold": float(map_threshold),
        "schedule": schedule,
        "retrain_after": int(after),
        "retrain_hours": float(hours),
    }
    try:
        change_project(get_store(), current_project(request), settings=changes)
        inform(say("settings.saved"))
    except BadSetting as error:
        warn(translated(say, str(error)))
    return schedule_rule(say, schedule, after, hours)
