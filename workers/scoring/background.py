"""The scoring thread of the page's process in the embedded mode: asked-for images first, then all that are unscored."""

import logging
import threading
from collections.abc import Sequence

from db.errors import BlobMissing
from db.projects.projects import list_projects
from db.store import Store
from workers.errors import PromptError
from workers.images.novelty import refresh_queue
from workers.projects.shipped_prompts import ensure_shipped_prompts
from workers.scoring.engine_host import get_engine, trouble
from workers.scoring.regions import judge_anew
from workers.scoring.scorer import score_requested, score_unscored
from workers.training.previewing import preview_images, refresh_previews

logger = logging.getLogger(__name__)

# Seconds between two looks for unscored images when nobody asks; another process may have activated a version.
_LOOK_SECONDS = 1.0
# Seconds of rest after a failure of the whole (no backbone, prompts of another one, database away).
_REST_SECONDS = 5.0
_END_SECONDS = 5.0
# Images between two looks at what was asked for.
_STEP = 16


class BackgroundScorer:
    """One thread that no error ends; what it did not get to is still unscored in the database."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._requested: list[int] = []
        self._corrected: set[int] = set()  # projects whose queue is to be brought in line
        self._to_preview: dict[int, list[int]] = {}  # projects with corrections, and images that someone looks at
        self._awake = threading.Event()
        self._stopping = threading.Event()
        self.failure = ""  # what keeps it from scoring anything at all, for people; empty when nothing does
        self._thread = threading.Thread(target=self._run, name="scoring", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing more, and wait a moment for the image in hand to be done."""
        self._stopping.set()
        self._awake.set()
        if self._thread.is_alive():
            self._thread.join(_END_SECONDS)

    def request(self, image_ids: Sequence[int]) -> None:
        """Score these images before all others; the last that were asked for come first."""
        with self._lock:
            self._requested = [*image_ids, *(one for one in self._requested if one not in image_ids)]
        self._awake.set()

    def refresh_queue(self, project_id: int) -> None:
        """Bring what to correct next in line with the corrections."""
        with self._lock:
            self._corrected.add(project_id)
        self._awake.set()

    def refresh_previews(self, project_id: int) -> None:
        """Show what the corrections make of the images that come next; many corrections in a row make it once."""
        with self._lock:
            self._to_preview.setdefault(project_id, [])
        self._awake.set()

    def preview(self, project_id: int, image_id: int) -> None:
        """Show it of this image too."""
        with self._lock:
            asked = self._to_preview.setdefault(project_id, [])
            if image_id not in asked:
                asked.append(image_id)
        self._awake.set()

    def wake(self) -> None:
        """Look for unscored images now."""
        self._awake.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._awake.clear()
            try:
                done = self._step()
                self.failure = ""
            except Exception as error:
                self._report(error)
                self._stopping.wait(trouble().pauses.left or _REST_SECONDS)
                continue
            if done == 0:
                self._awake.wait(_LOOK_SECONDS)

    def _step(self) -> int:
        """Score some images; 0: there was nothing to do."""
        ensure_shipped_prompts(self._store, get_engine())  # a project may be new
        with self._lock:
            asked, self._requested = self._requested[:_STEP], self._requested[_STEP:]
            corrected, self._corrected = self._corrected, set()
            to_preview, self._to_preview = self._to_preview, {}
        for project_id in corrected:
            refresh_queue(self._store, project_id)
        for project_id, image_ids in to_preview.items():
            refresh_previews(self._store, project_id)
            preview_images(self._store, project_id, image_ids)
        if asked and (done := score_requested(self._store, asked)):
            return done
        with self._store.session(read_only=True) as session:
            project_ids = [project.id for project in list_projects(session)]
        return self._score_projects(project_ids)

    def _score_projects(self, project_ids: Sequence[int]) -> int:
        """Some images of each; a project whose prompts can't be used holds up no other."""
        done = 0
        refusal: Exception | None = None
        for project_id in project_ids:
            try:
                done += score_unscored(self._store, project_id, _STEP) or judge_anew(self._store, project_id)
            except (PromptError, BlobMissing) as error:
                refusal = error
        if refusal is not None and done == 0:
            raise refusal
        return done

    def _report(self, error: Exception) -> None:
        reason = str(error) or type(error).__name__
        if reason != self.failure:  # the same failure every few seconds is one line in the log, not a thousand
            logger.error("Scoring has to wait: %s", reason, exc_info=error)
        self.failure = reason
