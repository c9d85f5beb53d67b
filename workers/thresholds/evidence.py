"""What thresholds are calibrated on, read from the database: scores with labels, or map values with masks."""

import io
from dataclasses import replace
from functools import lru_cache

import numpy as np
from PIL import Image as Picture
from sqlalchemy.orm import Session

from db.projects.interest import interest_keys
from db.store import Store
from db.thresholds.evidence import LabelledMap, annotations_state, labelled_maps, labelled_scores
from db.thresholds.score_counts import count_by_step
from db.training.prompt_versions import active_version
from engine.detector.maps import map_from_npy
from workers.scoring.interest import interest_by
from workers.thresholds.calibrating import STEPS, Counts, Evidence, Probability, count_values, fit_probability

# Database and project → what the last fit rests on, and what came of it.
_fitted: dict[tuple[str, int], tuple[tuple[object, ...], Probability | None]] = {}
# Masks and maps are read one by one: of so many images, the ones annotated last.
_MAPS = 300


def score_evidence(session: Session, project_id: int) -> Evidence:
    """The active version's scores of a project's images, by what people say of them."""
    version = active_version(session, project_id)
    if version is None:
        return Evidence(np.zeros(STEPS), np.zeros(STEPS), np.zeros(STEPS), 0, 0)
    labelled = _labelled_evidence(session, version.id)
    everything = np.array(count_by_step(session, version.id, STEPS), np.float64)
    return replace(labelled, unlabelled=everything - labelled.normal - labelled.anomalous)


def _labelled_evidence(session: Session, version_id: int) -> Evidence:
    """Of the labelled images alone."""
    labelled = labelled_scores(session, version_id)
    normal = [score for score, label in labelled if label == "normal"]
    anomalous = [score for score, label in labelled if label == "anomalous"]
    return Evidence(count_values(normal), count_values(anomalous), np.zeros(STEPS), len(normal), len(anomalous))


def pixel_evidence(store: Store, project_id: int) -> Evidence:
    """The active version's map values by the masks of the images annotated last; each image weighs 1."""
    with store.session(read_only=True) as session:
        version = active_version(session, project_id)
        maps = labelled_maps(session, project_id, version.id, _MAPS) if version else []
    sums = np.zeros((2, STEPS))
    for one in maps:
        sums += _map_counts(store, one)
    anomalous = sum(one.mask_blob_key is not None for one in maps)
    return Evidence(sums[0], sums[1], np.zeros(STEPS), len(maps) - anomalous, anomalous)


def score_probability(session: Session, project_id: int) -> Probability | None:
    """How scores of the active version become probabilities; None while that is not calibrated."""
    version = active_version(session, project_id)
    if version is None:
        return None
    project = (str(session.get_bind().engine.url), project_id)
    interests = frozenset(interest_keys(session, project_id).items())
    state = (version.id, *annotations_state(session, project_id), interests)
    known = _fitted.get(project)
    if known is None or known[0] != state:
        known = _fitted[project] = (state, fit_probability(_labelled_evidence(session, version.id)))
    return known[1]


@lru_cache(maxsize=4 * _MAPS)  # some kilobytes each; neither a map nor a mask of a key ever changes
def _map_counts(store: Store, one: LabelledMap) -> Counts:
    """(2, 1000) the weight of normal and anomalous map values; together 1."""
    values = map_from_npy(store.blobs.get(one.map_blob_key)).astype(np.float64)
    share = np.zeros_like(values)
    if one.mask_blob_key is not None:
        with Picture.open(io.BytesIO(store.blobs.get(one.mask_blob_key))) as mask:
            # Each cell of the map's grid has the share of its pixels that the mask marks.
            grid = mask.convert("L").resize(values.shape[::-1], Picture.Resampling.BOX)
        share = np.asarray(grid, dtype=np.float64) / 255
    interest = interest_by(store, one.interest_blob_key, one.height, one.width)
    counting = np.ones_like(values) if interest is None else interest.shares(*values.shape).astype(np.float64)
    counts = [count_values(values, (weights * counting).ravel()) for weights in (1 - share, share)]
    return np.stack(counts) / counting.sum()
