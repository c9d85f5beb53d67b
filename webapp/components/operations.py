"""Workers and queues as tables, for whoever runs the installation."""

from collections.abc import Sequence
from html import escape

from db.models import WorkerReport
from workers.watching import GONE_AFTER_SECONDS, silent_for


def operations_html(workers: Sequence[WorkerReport], queues: dict[str, int] | None) -> str:
    """Who works and when they were last heard of; what waits.

    Args:
        workers: the newest report of each.
        queues: messages that wait in each; None where the broker can't be reached.
    """
    return f'<div data-testid="operations">{_workers(workers)}{_queues(queues)}</div>'


def _workers(workers: Sequence[WorkerReport]) -> str:
    if not workers:
        return '<p class="al-muted">No worker has reported yet.</p>'
    return _table("Workers", ("Worker", "Takes", "Model", "Last heard of"), [_worker(one) for one in workers])


def _worker(one: WorkerReport) -> tuple[str, ...]:
    silent = silent_for(one)
    heard = f"{silent:.0f} s ago" if silent < 120 else f"{silent / 60:.0f} min ago"
    gone = '<div class="al-muted">gone</div>' if silent > GONE_AFTER_SECONDS else ""
    model = f"{one.engine.get('state', '')} {one.engine.get('device', '')}".strip()
    return escape(one.name), escape(", ".join(one.queues)), escape(model), heard + gone


def _queues(queues: dict[str, int] | None) -> str:
    if queues is None:
        return '<p class="al-error-text">The broker can\'t be reached. Work waits in the database until it can.</p>'
    return _table("Queues", ("Queue", "Waiting"), [(escape(name), str(count)) for name, count in queues.items()])


def _table(caption: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Cells are HTML."""
    head = "".join(f'<th scope="col">{one}</th>' for one in heads)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{one}</td>" for one in others)}</tr>'
        for first, *others in rows
    )
    return (
        f'<table class="al-table"><caption>{caption}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )
