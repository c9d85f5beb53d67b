"""Workers and queues as tables, for whoever runs the installation."""

from collections.abc import Sequence
from html import escape
from typing import Any

from db.tables.operations import WorkerReport
from webapp.texts import Texts
from webapp.ui.training.text import duration
from workers.operations.figures import GONE_AFTER_SECONDS, silent_for


def operations_html(say: Texts, workers: Sequence[WorkerReport], queues: dict[str, int] | None) -> str:
    """Who works and when they were last heard of; what waits.

    Args:
        say: the viewer's texts.
        workers: the newest report of each.
        queues: messages that wait in each; None where the broker can't be reached.
    """
    return f'<div data-testid="operations">{_workers(say, workers)}{_queues(say, queues)}</div>'


def _workers(say: Texts, workers: Sequence[WorkerReport]) -> str:
    if not workers:
        return f'<p class="al-muted">{say("operations.no_workers")}</p>'
    heads = ("worker", "takes", "model", "heard")
    return _table(say, "workers", heads, [_worker(say, one) for one in workers])


def _worker(say: Texts, one: WorkerReport) -> tuple[str, ...]:
    silent = silent_for(one)
    heard = say("operations.ago", time=duration(say, silent))
    gone = f'<div class="al-muted">{say("operations.gone")}</div>' if silent > GONE_AFTER_SECONDS else ""
    return escape(one.name), escape(", ".join(one.queues)), escape(_model(say, one.engine)), heard + gone


def _model(say: Texts, engine: dict[str, Any]) -> str:
    """Empty where the worker says nothing of one."""
    if "state" not in engine:
        return ""
    state = str(engine["state"]).replace(" ", "_")
    return f"{say(f'operations.engine.{state}')} {engine.get('device', '')}".strip()


def _queues(say: Texts, queues: dict[str, int] | None) -> str:
    if queues is None:
        return f'<p class="al-error-text">{say("operations.broker_away")}</p>'
    rows = [(escape(name), str(count)) for name, count in queues.items()]
    return _table(say, "queues", ("queue", "waiting"), rows)


def _table(say: Texts, caption: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Caption and heads are the ends of keys; cells are HTML."""
    head = "".join(f'<th scope="col">{say(f"operations.{one}")}</th>' for one in heads)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{one}</td>" for one in others)}</tr>'
        for first, *others in rows
    )
    return (
        f'<table class="al-table"><caption>{say(f"operations.{caption}")}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )
