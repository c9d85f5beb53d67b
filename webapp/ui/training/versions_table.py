"""The prompt versions of the project, with buttons to put each to use and to note something of it."""

from collections.abc import Sequence
from html import escape

from db.tables.core import PromptVersion
from db.training.prompt_versions import parts_of
from webapp.texts import Texts
from webapp.texts.translation import translated
from webapp.ui.training.run_figures import part_names
from webapp.ui.training.text import moment

_COLUMNS = ("version", "state", "origin", "made")


def versions_table(say: Texts, versions: Sequence[PromptVersion]) -> str:
    """The versions as HTML, the newest first, and a choice of two to compare; without any, when they come."""
    if not versions:
        return f'<p class="al-muted" data-testid="versions-table">{say("versions.none")}</p>'
    numbers = {version.id: version.number for version in versions}
    heads = "".join(f'<th scope="col">{say(f"versions.{column}")}</th>' for column in _COLUMNS)
    rows = "".join(_row(say, version, numbers) for version in versions)
    return (
        f'<table class="al-table al-rows" data-testid="versions-table"><caption>{say("versions.title")}</caption>'
        f"<thead><tr>{heads}<td></td></tr></thead><tbody>{rows}</tbody></table>{_choice(say, versions)}"
    )


def _choice(say: Texts, versions: Sequence[PromptVersion]) -> str:
    """Two lists and a button; at first, the version in use and the newest other one."""
    if len(versions) < 2:
        return ""
    in_use = next((version for version in versions if version.state == "active"), versions[-1])
    other = next(version for version in versions if version is not in_use)
    return (
        f'<div class="al-compare" role="group" aria-label="{say("compare.label")}">'
        f"<span>{say('compare.left')}</span>{_select(say, 'compare-second', say('compare.second'), versions, other)}"
        f"<span>{say('compare.with')}</span>{_select(say, 'compare-first', say('compare.first'), versions, in_use)}"
        '<button type="button" class="al-button al-small" data-compare-chosen data-testid="compare">'
        f"{say('compare')}</button></div>"
    )


def _select(say: Texts, name: str, label: str, versions: Sequence[PromptVersion], chosen: PromptVersion) -> str:
    options = "".join(
        f'<option value="{one.id}"{" selected" if one is chosen else ""}>v{one.number}, '
        f"{say(f'versions.state.{one.state}').lower()}</option>"
        for one in versions
    )
    return f'<select class="al-select" data-testid="{name}" aria-label="{label}">{options}</select>'


def _row(say: Texts, version: PromptVersion, numbers: dict[int, int]) -> str:
    origin = say(f"versions.origin.{version.origin}")
    if version.parent_id in numbers:
        origin = say("versions.from", origin=origin, parent=numbers[version.parent_id])
    # The words of a person stay as they are, as does what the button opens.
    shown, note = escape(translated(say, version.note)), escape(version.note)
    parts = escape(say("versions.parts", parts=part_names(say, parts_of(version))))
    label = say("versions.note.title", version=version.number)
    return (
        f'<tr data-version="{version.number}" data-state="{version.state}"><th scope="row">v{version.number}</th>'
        f'<td><span class="al-badge" data-state="{version.state}">{say(f"versions.state.{version.state}")}</span></td>'
        f'<td class="al-row-words">{origin}<div class="al-muted al-version-parts">{parts}</div>'
        f'<div class="al-muted al-version-note">{shown}</div></td>'
        f"<td>{moment(version.created_at)}</td>"
        f'<td><div class="al-version-buttons">{_button(say, version)}<button type="button" class="al-button al-small" '
        f'data-note="{version.id}" data-version="{version.number}" data-text="{note}" '
        f'data-testid="note-v{version.number}" aria-label="{label}">{say("versions.note")}</button>'
        "</div></td></tr>"
    )


def _button(say: Texts, version: PromptVersion) -> str:
    if version.state == "active":
        return ""
    if version.state == "awaiting":
        return "".join(
            f'<button type="button" class="al-button al-small" data-{act}="{version.id}" '
            f'data-version="{version.number}" data-testid="{act}-v{version.number}">{say(f"versions.{act}")}</button>'
            for act in ("approve", "decline")
        )
    words = say("versions.go_back" if version.state == "retired" else "versions.activate")
    return (
        f'<button type="button" class="al-button al-small" data-activate="{version.id}" '
        f'data-testid="activate-v{version.number}">{words}</button>'
    )
