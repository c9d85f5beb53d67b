"""The queue in the order of another threshold: each expected gain is written anew, some at a time.

Verdicts and what is shown of an image go by the new threshold at once. The order follows from the active version's
highest scores down, then that of the other versions, as any can be activated: nobody waits for it to end, and what is
left undone is a row (`QueueOrder`), which whoever looks for it goes on from.
"""

from sqlalchemy import select, tuple_, update
from sqlalchemy.orm import Session

from db.images.review_queue import expected_gain
from db.lookup import get_row
from db.tables.core import Prediction, Project, PromptVersion
from db.tables.queue_orders import QueueOrder

# Predictions of one transaction, so that no writer waits for more than some 10 ms of it.
AT_ONCE = 250


def order_anew(session: Session, project_id: int) -> None:
    """Begin to order a project's queues by its threshold, in the writing session that set it; small ones are done."""
    for version_id in session.scalars(select(PromptVersion.id).where(PromptVersion.project_id == project_id)):
        session.merge(QueueOrder(prompt_version_id=version_id, score=None, image_id=None))
    session.flush()
    left = AT_ONCE
    while left > 0 and (order := _first(session, project_id)) is not None:
        left -= _order_some(session, project_id, order, left)


def order_more(session: Session, project_id: int) -> bool:
    """Order some more of them, in a writing session that is to end at once; whether there was anything to do."""
    get_row(session, Project, project_id, lock=True)  # nobody sets another threshold meanwhile
    order = _first(session, project_id)
    if order is None:
        return False
    _order_some(session, project_id, order, AT_ONCE)
    return True


def unordered_projects(session: Session) -> list[int]:
    """The ids of the projects whose queues are not in order yet."""
    unordered = select(PromptVersion.project_id).join(QueueOrder, QueueOrder.prompt_version_id == PromptVersion.id)
    return list(session.scalars(unordered.distinct()))


def _first(session: Session, project_id: int) -> QueueOrder | None:
    """What is to be done first: the active version, then the newest."""
    orders = (
        select(QueueOrder)
        .join(PromptVersion, PromptVersion.id == QueueOrder.prompt_version_id)
        .where(PromptVersion.project_id == project_id)
        .order_by(PromptVersion.state != "active", PromptVersion.id.desc())
    )
    return session.scalars(orders.limit(1)).first()


def _order_some(session: Session, project_id: int, order: QueueOrder, limit: int) -> int:
    """Write up to `limit` gains of a version anew; returns how many there were. Without more, its row is deleted."""
    columns = Prediction.score, Prediction.image_id
    some = select(Prediction.id, *columns).where(Prediction.prompt_version_id == order.prompt_version_id)
    if order.image_id is not None:
        some = some.where(tuple_(*columns) < tuple_(order.score, order.image_id))
    found = session.execute(some.order_by(*(column.desc() for column in columns)).limit(limit)).all()
    threshold = get_row(session, Project, project_id).settings["threshold"]
    gain = expected_gain(Prediction.score, Prediction.map_uncertainty, Prediction.novelty, threshold)
    session.execute(
        update(Prediction)
        .where(Prediction.id.in_([row.id for row in found]))
        # A person's threshold says what tells images apart: what stands out among them says nothing any more.
        .values(expected_gain=gain, stands_out=None)
        .execution_options(synchronize_session=False)
    )
    if len(found) < limit:
        session.delete(order)
    else:
        order.score, order.image_id = found[-1].score, found[-1].image_id
    session.flush()
    return len(found)
