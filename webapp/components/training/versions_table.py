"""The prompt versions of the project, with a button each to put it to use."""

from collections.abc import Sequence
from html import escape

import gradio as gr

from db.models import PromptVersion
from webapp.components.assets import script
from webapp.components.training.text import moment

_STATES = {"active": "In use", "candidate": "Waiting", "retired": "Retired", "rejected": "Refused"}
_ORIGINS = {"shipped": "shipped with the model", "tuned": "tuned here", "imported": "imported"}


def versions_component() -> gr.HTML:
    """Shows what `versions_table` made; its event `activate` carries the version's `id`."""
    return gr.HTML(js_on_load=script("training/versions_table.js"), apply_default_css=False, elem_id="versions")


def versions_table(versions: Sequence[PromptVersion]) -> str:
    """The versions as HTML, the newest first; without any, when they come."""
    if not versions:
        return '<p class="al-muted" data-testid="versions-table">The first version comes when the model has loaded.</p>'
    numbers = {version.id: version.number for version in versions}
    return (
        '<table class="al-table" data-testid="versions-table"><caption>Prompt versions</caption><thead><tr>'
        "<th>Version</th><th>State</th><th>Where it comes from</th><th>Made</th><th></th></tr></thead>"
        f"<tbody>{''.join(_row(version, numbers) for version in versions)}</tbody></table>"
    )


def _row(version: PromptVersion, numbers: dict[int, int]) -> str:
    parent = f", from v{numbers[version.parent_id]}" if version.parent_id in numbers else ""
    origin = _ORIGINS.get(version.origin, escape(version.origin)) + parent
    return (
        f'<tr data-version="{version.number}" data-state="{version.state}"><th>v{version.number}</th>'
        f'<td><span class="al-badge" data-state="{version.state}">{_STATES[version.state]}</span></td>'
        f'<td>{origin}<div class="al-muted">{escape(version.note)}</div></td>'
        f"<td>{moment(version.created_at)}</td><td>{_button(version)}</td></tr>"
    )


def _button(version: PromptVersion) -> str:
    if version.state == "active":
        return ""
    words = "Go back to it" if version.state == "retired" else "Activate"
    return (
        f'<button type="button" class="al-button al-small" data-activate="{version.id}" '
        f'data-testid="activate-v{version.number}">{words}</button>'
    )
