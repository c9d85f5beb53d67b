"""How a version's scores are distributed, counted range by range in the index that holds them: none of them is read."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Integer, case, func, literal, select
from sqlalchemy.orm import Session

from db.tables.core import Prediction

# A score that is a multiple of the step belongs to the step that begins there, despite rounding.
_ROUNDING = 1e-9


def count_by_step(session: Session, version_id: int, steps: int) -> list[int]:
    """How many scores lie in each of so many equal steps from 0 to 1, which begin with their lower end."""

    def within(score: Any, step: Any) -> ColumnElement[bool]:
        low, high = ((step + one - _ROUNDING) / float(steps) for one in (0, 1))
        return (score >= case((step == 0, -1.0), else_=low)) & (score < case((step == steps - 1, 2.0), else_=high))

    return _counts(session, version_id, steps, within)


def count_up_to_step(session: Session, version_id: int, steps: int) -> list[int]:
    """How many scores are at most the upper end of each of these steps: the last number is that of all."""

    def within(score: Any, step: Any) -> ColumnElement[bool]:
        low = case((step == 0, -1.0), else_=step / float(steps))
        return (score > low) & (score <= (step + 1) / float(steps))

    counts = _counts(session, version_id, steps, within)
    return [sum(counts[: number + 1]) for number in range(steps)]


def sum_of_scores(session: Session, version_id: int) -> float:
    """All of a version's scores together."""
    scores = select(func.sum(Prediction.score)).where(Prediction.prompt_version_id == version_id)
    return session.scalar(scores) or 0.0


def _counts(
    session: Session, version_id: int, steps: int, within: Callable[[Any, Any], ColumnElement[bool]]
) -> list[int]:
    numbers = select(literal(0, Integer).label("step")).cte("steps", recursive=True)
    numbers = numbers.union_all(select(numbers.c.step + 1).where(numbers.c.step < steps - 1))
    own = Prediction.prompt_version_id == version_id, within(Prediction.score, numbers.c.step)
    count = select(func.count()).where(*own).correlate(numbers).scalar_subquery()
    return [row[1] for row in session.execute(select(numbers.c.step, count).order_by(numbers.c.step))]
