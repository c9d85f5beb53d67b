"""A Celery worker's scoring: on one thread of its at a time, whatever number of messages announced it.

Asked-for images come first, then all that are unscored, project by project, until nothing is left that no other worker
has. One thread, as they share one engine: two would only claim what another worker could do meanwhile.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from db.errors import BlobMissing
from db.projects.projects import list_projects
from db.store import Store
from workers.errors import PromptError
from workers.scoring.regions import judge_anew
from workers.scoring.scorer import score_unscored

logger = logging.getLogger(__name__)

# Images that a worker claims at once, at most.
_STEP = 32
# Seconds from telling other workers that there is work to telling them again.
_SHARE_SECONDS = 0.25


class ScoringTurns:
    """What a worker's threads share: who scores now, what was asked for, and whether someone has to look again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: list[int] = []
        self._rung = self._running = False
        self._shared_at = 0.0

    def score(self, store: Store, *, share: Callable[[int], None], asked: Sequence[int] = ()) -> None:
        """Score what is unscored; at once done where another thread of this process is at it, which then looks again.

        Args:
            store: where the images are.
            share: called now and then with a project that has more than this worker took, to wake another one.
            asked: images that come before others.

        Raises:
            BackboneError, EngineTrouble: see `workers.scoring.scorer.score_images`.
        """
        with self._lock:
            self._asked = [*asked, *(one for one in self._asked if one not in asked)]
            self._rung = True
            if self._running:
                return
            self._running = True
        try:
            while self._take_ring():
                self._score_projects(store, share)
        except BaseException:
            with self._lock:
                self._running = False
            raise

    def _take_ring(self) -> bool:
        with self._lock:
            self._running, self._rung = self._rung, False
            return self._running

    def _score_projects(self, store: Store, share: Callable[[int], None]) -> None:
        with store.session(read_only=True) as session:
            project_ids = [project.id for project in list_projects(session)]
        for project_id in project_ids:
            try:
                while self._score_some(store, project_id, share) or judge_anew(store, project_id):
                    pass
            except (PromptError, BlobMissing) as error:  # the other projects' images are scored all the same
                logger.error("Project %d can't be scored: %s", project_id, error)

    def _score_some(self, store: Store, project_id: int, share: Callable[[int], None]) -> int:
        with self._lock:
            asked, self._asked = self._asked[:_STEP], self._asked[_STEP:]
        tell_of_more = partial(self._share, project_id, share)
        done = score_unscored(store, project_id, _STEP, first=asked, tell_of_more=tell_of_more)
        if done:
            with self._lock:  # those that others had in the meantime are passed over the next time
                self._asked = [*asked[done:], *self._asked]
        return done

    def _share(self, project_id: int, share: Callable[[int], None]) -> None:
        if time.monotonic() - self._shared_at >= _SHARE_SECONDS:
            self._shared_at = time.monotonic()
            share(project_id)


turns = ScoringTurns()
