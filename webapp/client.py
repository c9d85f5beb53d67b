"""A typed client of the REST interface, in one file that needs httpx alone: take it along to where you need it.

    from client import Client

    with Client("http://127.0.0.1:7860") as anomalyloop:
        [part] = anomalyloop.upload(Path("part.png"))
        print(anomalyloop.scored(part["id"])["verdict"])

Errors of the server are `Problem`, which says what happened, why, and what to do. What fails because something is away
for a moment (no connection, status 429, 503 or 507) is tried again, as long as `patience` lasts; uploads carry a key,
so that one whose answer was lost is not done twice.
"""

import contextlib
import hashlib
import hmac
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NotRequired, Self, TypedDict

import httpx

Label = Literal["normal", "anomalous"]


class Upload(TypedDict):
    """What became of a file: `id` where it was kept, `error` where it was not."""

    file_name: str
    id: NotRequired[int]
    sha256: NotRequired[str]
    width: NotRequired[int]
    height: NotRequired[int]
    duplicate: NotRequired[bool]
    error: NotRequired[str]


class NamedDefect(TypedDict):
    """A region of a correction that has a kind of defect: any pixel in it; without x and y the image as a whole."""

    kind_id: int
    x: int | None
    y: int | None
    area: NotRequired[int]


class Annotation(TypedDict):
    """One revision of what a person says of an image; `area` in pixels."""

    revision: int
    label: Label
    area: int
    source: str
    author: str
    created_at: str
    comment: str
    defects: list[NamedDefect]
    note: str


class Preview(TypedDict):
    """What the corrections so far make of an image; no run has judged it."""

    score: float
    corrections: int
    created_at: str


class Image(TypedDict):
    """An image, what the active prompts say of it, and what people say of it. Scores and thresholds are 0–1."""

    id: int
    project_id: int
    file_name: str
    sha256: str
    width: int
    height: int
    part: str | None
    lot: str | None
    station: str | None
    captured_at: str | None
    tags: list[str]
    status: Literal["unscored", "failed", "to_review", "corrected"]
    score: float | None
    old_score: float | None
    threshold: float
    map_threshold: float
    verdict: Label | None
    verdict_rule: Literal["score", "regions"]
    region_of_interest: Literal["applied", "other_proportions"] | None
    probability: float | None
    probability_images: int | None
    expected_gain: float | None
    reason: str | None
    prompt_version: int | None
    scoring_seconds: float | None
    scored_from_cache: bool | None
    parts: list[str]
    unlike_others: bool
    preview: Preview | None
    annotation: Annotation | None
    golden: bool
    scoring_error: str | None
    created_at: str


class Region(TypedDict):
    """A connected part of an image whose map reaches the map threshold; lengths in px, and in mm with a scale."""

    polygon: list[tuple[float, float]]
    box: tuple[int, int, int, int]
    area: float
    length: float
    peak: float
    box_mm: tuple[float, float, float, float] | None
    area_mm2: float | None
    length_mm: float | None


class Inspected(TypedDict):
    """What is said of an image at once; `id` where it was kept. A file that is no image has `error` alone."""

    file_name: str
    error: NotRequired[str]
    sha256: str
    id: int | None
    kept: bool
    duplicate: bool
    width: int
    height: int
    verdict: Label | None
    verdict_rule: Literal["score", "regions"]
    region_of_interest: Literal["applied", "other_proportions"] | None
    score: float
    probability: float | None
    threshold: float
    map_threshold: float
    px_per_mm: float | None
    regions: list[Region]
    prompt_version: int
    part: str | None
    lot: str | None
    station: str | None
    captured_at: str | None
    tags: list[str]
    map_png: str | None
    milliseconds: float


class Run(TypedDict):
    """A tuning run; `progress` is 0–1."""

    id: int
    project_id: int
    state: Literal["queued", "running", "evaluating", "succeeded", "failed", "cancelled"]
    trigger: str
    author: str
    config: dict[str, Any]
    seed: int
    training_annotation_ids: list[int]
    holdout_annotation_ids: list[int]
    parent_version_id: int | None
    candidate_version_id: int | None
    progress: float
    stage: str
    encoded_images: int
    losses: list[Any]
    metrics: dict[str, Any]
    decision: str
    error: str
    cancel_requested: bool
    attempt: int
    created_at: str
    started_at: str | None
    finished_at: str | None


class Problem(Exception):
    """What the server refused (RFC 9457): `kind` is the last part of its type, such as `conflict`."""

    def __init__(self, status: int, document: dict[str, Any]) -> None:
        super().__init__(document.get("detail") or f"The server answered with status {status}.")
        self.status, self.document = status, document
        self.kind = str(document.get("type", "")).rpartition(":")[2]


class Client:
    """Calls of one server, by one user.

    Args:
        address: such as http://127.0.0.1:7860.
        token: an API token, where the server asks for one.
        project: the project's name.
        patience: for how many seconds something that is away for a moment is tried again.
        timeout: of one attempt, in seconds.
    """

    def __init__(
        self,
        address: str,
        *,
        token: str | None = None,
        project: str = "default",
        patience: float = 60.0,
        timeout: float = 60.0,
    ) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(base_url=f"{address.rstrip('/')}/api/v1", headers=headers, timeout=timeout)
        self._project, self._patience = project, patience

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def upload(self, *files: Path | tuple[str, bytes], **facts: str | list[str]) -> list[Upload]:
        """Upload image files, given as paths or as (name, bytes). Raises Problem where none could be kept.

        `facts`: what is known of the part: part, lot, station, captured_at (ISO, with its zone), tags.
        """
        key, fields = {"Idempotency-Key": uuid.uuid4().hex}, {"project": self._project, **facts}
        return self._call("POST", "/images", files=_parts(files), data=fields, headers=key).json()

    def inspect(
        self,
        *files: Path | tuple[str, bytes],
        map: bool = False,
        px_per_mm: float | None = None,
        **facts: str | list[str],
    ) -> list[Inspected]:
        """Verdicts of image files, given as paths or as (name, bytes), in the same call.

        Args:
            files: some, as many as the server inspects at once.
            map: whether the map comes along (`map_png`: base64 of a 16-bit PNG of the image's size).
            px_per_mm: pixels per millimetre; None: as the project has it.
            facts: what is known of the part, as for `upload`.
        """
        scale = {} if px_per_mm is None else {"px_per_mm": str(px_per_mm)}
        fields = {"project": self._project, "map": str(map).lower(), **scale, **facts}
        return self._call("POST", "/inspect", files=_parts(files), data=fields).json()

    def images(self, **filters: Any) -> Iterator[Image]:
        """The project's images, page after page; filters and order as `GET /images` takes them."""
        cursor: str | None = None
        while True:
            wanted = {**filters, "project": self._project} | ({"cursor": cursor} if cursor else {})
            page = self._call("GET", "/images", params=wanted).json()
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def image(self, image_id: int) -> Image:
        """One image."""
        return self._call("GET", f"/images/{image_id}").json()

    def scored(self, image_id: int, seconds: float = 120.0) -> Image:
        """The image when it has its score. Raises Problem where it can't be scored, TimeoutError."""
        for _ in _until(time.monotonic() + seconds):
            image = self.image(image_id)
            if image["score"] is not None:
                return image
            if image["scoring_error"]:
                raise Problem(200, {"detail": image["scoring_error"]})
        raise TimeoutError(f"Image {image_id} has no score after {seconds:g} s.")

    def map(
        self,
        image_id: int,
        form: Literal["npy", "png"] = "npy",
        *,
        which: Literal["in use", "preview", "prompts", "unlike others"] = "in use",
    ) -> bytes:
        """An anomaly map at the image's size, as a `.npy` file of float32 0–1 or a 16-bit PNG.

        `preview`: what the corrections so far make of the image; `prompts`: what the version's prompts alone say;
        `unlike others`: how rare each place is among the project's images, where `unlike_others` of the image is true.
        """
        kinds: dict[str, dict[str, Any]] = {
            "in use": {},
            "preview": {"preview": True},
            "prompts": {"part": "prompts"},
            "unlike others": {"part": "unlike_others"},
        }
        wanted = kinds[which]
        return self._call("GET", f"/images/{image_id}/map", params={"format": form, **wanted}).content

    def mask(self, image_id: int) -> bytes:
        """The newest annotation's mask, as PNG."""
        return self._call("GET", f"/images/{image_id}/mask").content

    def correct(self, image_id: int, mask: bytes, *, seen: int | None = None) -> Annotation:
        """Save a mask, an image file of the image's size. With `seen`, the newest revision you know (0: none).

        Raises Problem of the kind `conflict` where someone saved after that.
        """
        return self._state(image_id, seen, files={"mask": ("mask.png", mask)})

    def mark_normal(self, image_id: int, *, seen: int | None = None) -> Annotation:
        """Say that nothing in the image is anomalous."""
        return self._state(image_id, seen, json={"label": "normal"})

    def mark_anomalous(self, image_id: int, *, seen: int | None = None) -> Annotation:
        """Say that something in the image is wrong, without saying where."""
        return self._state(image_id, seen, json={"label": "anomalous"})

    def accept(self, image_id: int, *, seen: int | None = None) -> Annotation:
        """Agree with the prediction."""
        return self._state(image_id, seen, json={"accept": True})

    def name_defects(
        self, image_id: int, defects: list[NamedDefect] | None = None, comment: str | None = None
    ) -> Annotation:
        """Give regions of the newest correction kinds of defect, and it a comment; None leaves what is there."""
        given: dict[str, Any] = {"defects": defects, "comment": comment}
        if defects is not None:
            given["defects"] = [{name: one.get(name) for name in ("kind_id", "x", "y")} for one in defects]
        return self._call("PATCH", f"/images/{image_id}/annotation", json=given).json()

    def set_golden(self, image_id: int, golden: bool = True) -> Image:
        """Add a corrected image to the golden set, which nothing is learnt from, or take it out."""
        return self._call("PUT", f"/images/{image_id}/golden", json={"golden": golden}).json()

    def retry(self, *image_ids: int) -> list[int]:
        """Score images again that could not be scored, all of them where none is named; the ids of those tried."""
        body = {"project": self._project, "ids": list(image_ids) or None}
        return self._call("POST", "/images/retry", json=body).json()

    def delete(self, image_id: int) -> None:
        """Delete an image with all that belongs to it."""
        self._call("DELETE", f"/images/{image_id}")

    def start_run(self, *, epochs: int | None = None, seed: int | None = None) -> Run:
        """Retrain on all corrections."""
        return self._call("POST", "/runs", json={"project": self._project, "epochs": epochs, "seed": seed}).json()

    def run(self, run_id: int) -> Run:
        """One run."""
        return self._call("GET", f"/runs/{run_id}").json()

    def finished(self, run_id: int, seconds: float = 3600.0) -> Run:
        """The run when it has ended, however it ended. Raises TimeoutError."""
        for _ in _until(time.monotonic() + seconds):
            run = self.run(run_id)
            if run["finished_at"] is not None:
                return run
        raise TimeoutError(f"Run {run_id} has not ended after {seconds:g} s.")

    def export(self, target: Path, form: Literal["mvtec", "coco", "masks", "csv"] = "mvtec") -> None:
        """Write the project's export as a zip."""
        with self._http.stream("GET", "/export", params={"project": self._project, "format": form}) as answer:
            if answer.is_error:
                answer.read()
                _raise(answer)
            with target.open("wb") as file:
                for part in answer.iter_bytes():
                    file.write(part)

    def _state(self, image_id: int, seen: int | None, **body: Any) -> Annotation:
        headers = {} if seen is None else {"If-Match": str(seen)}
        return self._call("PUT", f"/images/{image_id}/annotation", headers=headers, **body).json()

    def _call(self, method: str, path: str, **request: Any) -> httpx.Response:
        answer: httpx.Response | None = None
        for last in _until(time.monotonic() + self._patience):
            try:
                answer = self._http.request(method, path, **request)
            except httpx.TransportError:
                if last:
                    raise
                continue
            if last or not _may_do_later(answer):
                break
        assert answer is not None
        if answer.is_error:
            _raise(answer)
        return answer


def _parts(files: Sequence[Path | tuple[str, bytes]]) -> list[tuple[str, tuple[str, bytes, str]]]:
    named = [(one.name, one.read_bytes()) if isinstance(one, Path) else one for one in files]
    return [("files", (name, data, "application/octet-stream")) for name, data in named]


def _may_do_later(answer: httpx.Response) -> bool:
    """Whether the same request may be answered otherwise soon: another process may be at the same upload."""
    return answer.status_code in (429, 503, 507) or (answer.status_code == 409 and "upload-in-progress" in answer.text)


def verify_webhook(secret: str, signature: str, body: bytes, *, seconds: float = 300.0) -> bool:
    """Whether a webhook's message is the server's own and new: its X-AnomalyLoop-Signature, and its body as it came."""
    try:
        parts = dict(part.split("=", 1) for part in signature.split(","))
        at, given = int(parts["t"]), parts["v1"]
    except (KeyError, ValueError):
        return False
    expected = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, given) and abs(time.time() - at) <= seconds


def _until(deadline: float) -> Iterator[bool]:
    """False for every attempt, a little later each, and True for the last one, at the deadline."""
    pause = 0.1
    while time.monotonic() + pause < deadline:
        yield False
        time.sleep(pause)
        pause = min(2.0, 1.5 * pause)
    yield True


def _raise(answer: httpx.Response) -> None:
    document: dict[str, Any] = {}
    with contextlib.suppress(ValueError):
        document = answer.json()
    raise Problem(answer.status_code, document)
