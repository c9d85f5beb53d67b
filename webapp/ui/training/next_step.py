"""What to correct next to help most, in one sentence: from what is corrected, and from what waits in the queue."""

from collections import Counter
from dataclasses import dataclass
from html import escape

from sqlalchemy.orm import Session

from db.images.annotations import LabelCounts, count_labels
from db.images.pages import list_images
from db.images.review_queue import Reason, reason
from db.projects.projects import get_project
from webapp.texts import Texts

# Marked defects, and normal images, with which runs begin to be sure of themselves.
ENOUGH = 5
# Images at the head of the queue that are looked at.
_HEAD = 20


@dataclass(frozen=True)
class Queue:
    """What waits to be corrected.

    Attributes:
        reasons: why, of the first images in it; each the one that says most for the image.
        example: the file name of the first one with the commonest reason; empty without any.
    """

    reasons: Counter[Reason]
    example: str = ""


def read_queue(session: Session, project_id: int) -> Queue:
    """The head of a project's queue."""
    threshold = get_project(session, project_id).settings["threshold"]
    rows = list_images(session, project_id, status="to_review", order="uncertain", limit=_HEAD).items
    why = [(row.image.file_name, reason(row.prediction, threshold)) for row in rows if row.prediction]
    reasons = Counter(one for _, one in why)
    commonest = reasons.most_common(1)[0][0] if reasons else None
    return Queue(reasons, next((name for name, one in why if one == commonest), ""))


def next_step(say: Texts, session: Session, project_id: int) -> str:
    """The sentence, and a button that opens the queue where something waits in it, as HTML."""
    queue = read_queue(session, project_id)
    words = next_words(say, count_labels(session, project_id), queue)
    button = ""
    if queue.reasons:
        button = (
            ' <button type="button" class="al-link" data-open-queue data-testid="open-queue">'
            f"{say('next.open')}</button>"
        )
    return f'<p class="al-next" data-testid="next-step">{escape(words)}{button}</p>'


def next_words(say: Texts, labels: LabelCounts, queue: Queue) -> str:
    """The sentence: first what is missing at all, then what there is too little of, then what waits."""
    corrected = labels.normal + labels.marked + labels.unmarked
    if not labels.marked:
        return say("next.no_masks" if corrected else "next.nothing")
    if labels.marked < 2:
        return say("next.one_marked")
    if labels.marked < ENOUGH:
        return say("next.few_marked", count=labels.marked)
    if labels.unmarked > labels.marked:
        return say("next.unmarked", count=labels.unmarked)
    if labels.normal < ENOUGH:
        return say("next.few_normal", count=labels.normal) if labels.normal else say("next.no_normal")
    if not queue.reasons:
        return say("next.queue_empty")
    commonest, number = queue.reasons.most_common(1)[0]
    return say(f"next.{commonest}", number=number, of=sum(queue.reasons.values()), name=queue.example)
