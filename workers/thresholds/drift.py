"""Whether scores are still those that the thresholds were set on."""

import numpy as np
from sqlalchemy.orm import Session

from db.thresholds.evidence import score_windows
from db.training.prompt_versions import active_version

# Images in each window: the newest of each; and how few say nothing.
WINDOW = 2000
ENOUGH = 30
_BINS = 10
# Share of an empty bin: its logarithm must exist, and one image more or less must not decide.
_FLOOR = 1e-3


def score_drift(session: Session, project_id: int) -> float | None:
    """The population stability index of a project's scores since its newest correction, against those before it.

    People look at scores and set thresholds while they correct: what was there by the newest correction is the
    calibration's window, what came later is compared with it. Under 0.1: the same; over 0.25: another distribution.
    None where either window has too few images, or nothing scores.
    """
    version = active_version(session, project_id)
    if version is None:
        return None
    before, since = score_windows(session, project_id, version.id, WINDOW)
    if min(len(before), len(since)) < ENOUGH:
        return None
    return population_stability(before, since)


def population_stability(expected: list[float], actual: list[float]) -> float:
    """Σ (a − e)·ln(a / e) over the shares of ten bins with equal shares of `expected`; 0: the same distribution."""
    edges = np.unique(np.quantile(expected, np.linspace(0, 1, _BINS + 1)[1:-1]))
    shares = [np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1) for values in (expected, actual)]
    e, a = (np.maximum(counts / counts.sum(), _FLOOR) for counts in shares)
    return float(np.sum((a - e) * np.log(a / e)))
