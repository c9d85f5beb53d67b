"""The prompt versions of the project, with buttons to put each to use and to note something of it."""

from collections.abc import Sequence
from html import escape

from db.models import PromptVersion
from webapp.components.training.text import moment

_STATES = {"active": "In use", "candidate": "Waiting", "retired": "Retired", "rejected": "Refused"}
_ORIGINS = {"shipped": "shipped with the model", "tuned": "tuned here", "imported": "imported"}


def versions_table(versions: Sequence[PromptVersion]) -> str:
    """The versions as HTML, the newest first, and a choice of two to compare; without any, when they come."""
    if not versions:
        return '<p class="al-muted" data-testid="versions-table">The first version comes when the model has loaded.</p>'
    numbers = {version.id: version.number for version in versions}
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("Version", "State", "Where it comes from", "Made"))
    return (
        f'<table class="al-table" data-testid="versions-table"><caption>Prompt versions</caption><thead><tr>{heads}'
        f"<td></td></tr></thead><tbody>{''.join(_row(version, numbers) for version in versions)}</tbody></table>"
        f"{_choice(versions)}"
    )


def _choice(versions: Sequence[PromptVersion]) -> str:
    """Two lists and a button; at first, the version in use and the newest other one."""
    if len(versions) < 2:
        return ""
    in_use = next((version for version in versions if version.state == "active"), versions[-1])
    other = next(version for version in versions if version is not in_use)
    return (
        '<div class="al-compare" role="group" aria-label="Compare two versions">'
        f"<span>Compare</span>{_select('compare-second', 'Version to look at', versions, other)}<span>with</span>"
        f"{_select('compare-first', 'Version to compare it with', versions, in_use)}"
        '<button type="button" class="al-button al-small" data-compare-chosen data-testid="compare">Compare</button>'
        "</div>"
    )


def _select(name: str, label: str, versions: Sequence[PromptVersion], chosen: PromptVersion) -> str:
    options = "".join(
        f'<option value="{one.id}"{" selected" if one is chosen else ""}>v{one.number}, {_STATES[one.state].lower()}'
        "</option>"
        for one in versions
    )
    return f'<select class="al-select" data-testid="{name}" aria-label="{label}">{options}</select>'


def _row(version: PromptVersion, numbers: dict[int, int]) -> str:
    parent = f", from v{numbers[version.parent_id]}" if version.parent_id in numbers else ""
    origin = _ORIGINS.get(version.origin, escape(version.origin)) + parent
    note = escape(version.note)
    return (
        f'<tr data-version="{version.number}" data-state="{version.state}"><th scope="row">v{version.number}</th>'
        f'<td><span class="al-badge" data-state="{version.state}">{_STATES[version.state]}</span></td>'
        f'<td>{origin}<div class="al-muted al-version-note">{note}</div></td><td>{moment(version.created_at)}</td>'
        f'<td><div class="al-version-buttons">{_button(version)}<button type="button" class="al-button al-small" '
        f'data-note="{version.id}" data-version="{version.number}" data-text="{note}" '
        f'data-testid="note-v{version.number}" aria-label="Note on version {version.number}">Note</button>'
        "</div></td></tr>"
    )


def _button(version: PromptVersion) -> str:
    if version.state == "active":
        return ""
    words = "Go back to it" if version.state == "retired" else "Activate"
    return (
        f'<button type="button" class="al-button al-small" data-activate="{version.id}" '
        f'data-testid="activate-v{version.number}">{words}</button>'
    )
