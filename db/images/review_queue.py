"""What to correct next: how much a correction of an image is expected to teach.

The rule in plain words: an image comes early when its score lies near the threshold, when its map is unsure of itself,
and when it is unlike the images corrected so far. Each of the three is a number from 0 to 1, and the expected gain is
their mean. It is kept with the prediction, so that an index holds the queue in its order.
"""

from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.tables.core import Prediction

Reason = Literal["near_threshold", "map_unsure", "unlike_corrected"]
# A score this far from the threshold is half as telling as one that lies on it.
_NEAR = 0.1


def near_threshold(score: Any, threshold: float) -> Any:
    """1 on the threshold, ½ at a distance of 0.1, towards 0 beyond; of a number or of a column."""
    distance = (score - threshold) / _NEAR
    return 1.0 / (1.0 + distance * distance)


def expected_gain(score: Any, map_uncertainty: Any, novelty: Any, threshold: float) -> Any:
    """The mean of the three, 0–1; of numbers or of columns."""
    return (near_threshold(score, threshold) + map_uncertainty + novelty) / 3.0


def reason(prediction: Prediction, threshold: float) -> Reason:
    """Which of the three says most for correcting the image."""
    parts: dict[Reason, float] = {
        "near_threshold": near_threshold(prediction.score, threshold),
        "map_unsure": prediction.map_uncertainty,
        "unlike_corrected": prediction.novelty,
    }
    return max(parts, key=lambda name: parts[name])


def set_novelty(session: Session, version_id: int, novelties: Mapping[int, float], threshold: float) -> None:
    """Change the novelty, and with it the expected gain, of images (by id) as this version scored them."""
    rows = select(Prediction).where(Prediction.prompt_version_id == version_id, Prediction.image_id.in_(novelties))
    for row in session.scalars(rows):
        row.novelty = novelties[row.image_id]
        row.expected_gain = expected_gain(row.score, row.map_uncertainty, row.novelty, threshold)
