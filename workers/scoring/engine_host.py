"""The one engine of this process: loaded when first needed, shared by its threads. torch is imported here, inside."""

import logging
import math
import threading
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy.exc import SQLAlchemyError

from db.backbones.choice import read_choice
from engine.errors import BackboneError, EngineError
from settings import Settings, get_settings
from workers.context import get_store
from workers.operations.first_imports import heavy_imports
from workers.scoring.trouble import Pauses, Trouble

if TYPE_CHECKING:
    from engine.serving.engine import Engine

logger = logging.getLogger(__name__)

# Seconds between two looks at which backbone is chosen.
_LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class EngineStatus:
    """What people are told of the engine. The facts are empty until it is ready."""

    state: Literal["not loaded", "loading", "ready", "waiting", "failed"] = "not loaded"
    error: str = ""
    name: str = ""
    fingerprint: str = ""
    description: str = ""
    device: str = ""
    precision: str = ""
    cache_hits: int = 0  # features that this process found in its cache, and did not have to encode
    cache_misses: int = 0
    cache_room: int = 0  # images whose features its budget is enough for; 0: not known yet


class _Host:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.engine: Engine | None = None
        self.name = ""  # of its backbone, as it was chosen
        self.ready: dict[str, Engine] = {}  # loaded beside the one in use, by name
        self.looked_at = -math.inf
        self.chosen = ""
        self.failure: Exception | None = None
        self.failed = ""  # which backbone it was
        # A hub that is away comes back, and a file may be put where it is looked for.
        self.pauses = Pauses(first=5.0, longest=300.0)
        self.trouble = Trouble()
        self.status = EngineStatus()


_host = _Host()


def get_engine() -> "Engine":
    """The engine of the backbone that is chosen; loads it on the first call and where another one was chosen since.

    Others wait meanwhile. What was loaded beside the one in use is taken at once.

    Raises:
        BackboneError: the backbone can't be loaded; it is tried again after growing pauses, up to five minutes.
            Whatever else goes wrong is tried again by the next call.
    """
    with _host.lock:
        name = _chosen_now()
        if _host.engine is not None and _host.name == name:
            return _host.engine
        prepared = _host.ready.pop(name, None)
        if prepared is not None:
            return _put(name, prepared)
        if _host.failure is not None and _host.pauses.left and _host.failed == name:
            raise _host.failure
        return _put(name, _load(get_settings(), name))


def prepare(name: str) -> "Engine":
    """Load a backbone beside the one in use, which goes on meanwhile; it waits until it is chosen.

    Raises:
        BackboneError: it can't be loaded.
    """
    engine = _make(get_settings(), name)
    _host.ready[name] = engine
    return engine


def forget_prepared(name: str) -> None:
    """Nobody wants it any more."""
    _host.ready.pop(name, None)


def chosen_backbone() -> str:
    """The backbone that counts now: the environment's, or what was chosen on the page, or the setting's default."""
    settings = get_settings()
    if settings.backbone_is_set:
        return settings.backbone
    with get_store().session(read_only=True) as session:
        return read_choice(session).name or settings.backbone


def loaded_backbone() -> str:
    """The name of the backbone that this process has loaded; empty where it has none."""
    return _host.name


def look_again() -> None:
    """Another backbone may have been chosen just now."""
    _host.looked_at = -math.inf


def serves_the_choice(engine: "Engine") -> bool:
    """Whether this engine is of the backbone that is chosen now."""
    look_again()
    return get_engine() is engine


def spec_of(name: str) -> str:
    """What the engine is told to load: a file without a folder lies in the installation's folder for models."""
    from engine.backbone.plans import right_spelling  # torch

    name = right_spelling(name)
    model, at, file = name.partition("@")
    if not at or "/" in file or get_settings().backbone_is_set:
        return name
    return f"{model}@{get_settings().models_folder / file}"


def _chosen_now() -> str:
    """`chosen_backbone`, asked once a second; while the database is away what is loaded goes on."""
    now = time.monotonic()
    if now - _host.looked_at >= _LOOK_SECONDS:
        try:
            _host.chosen = chosen_backbone()
        except SQLAlchemyError:
            if _host.engine is None:
                raise
        _host.looked_at = now
    return _host.chosen


def _put(name: str, engine: "Engine") -> "Engine":
    _host.engine, _host.name = engine, name
    _host.failure, _host.failed = None, ""
    info, device, precision = engine.info, str(engine.backbone.device), engine.backbone.precision
    _host.status = EngineStatus("ready", "", info.name, info.fingerprint, info.description, device, precision)
    return engine


def start_loading(after_seconds: float = 0.0) -> None:
    """Begin to load in the background, now or a little later; returns at once."""
    timer = threading.Timer(after_seconds, _load_quietly)
    timer.daemon = True
    timer.start()


def engine_status() -> dict[str, Any]:
    """The state of this process's engine, at once: the fields of `EngineStatus`."""
    cache = _host.engine.cache if _host.engine is not None else None
    counts = (
        {"cache_hits": cache.hits, "cache_misses": cache.misses, "cache_room": cache.room} if cache is not None else {}
    )
    status = asdict(_host.status)
    if status["state"] == "ready" and (reason := _host.trouble.pauses.reason):
        status |= {"state": "waiting", "error": reason}
    return {**status, **counts}


def trouble() -> Trouble:
    """What is known of the trouble of this process's engine."""
    return _host.trouble


def _load_quietly() -> None:
    try:
        get_engine()
    except EngineError as error:
        logger.error("%s", error)
    except Exception:
        logger.exception("The model could not be loaded; what needs it tries again.")


def _load(settings: Settings, name: str) -> "Engine":
    started = time.monotonic()
    _host.status = EngineStatus("loading")
    try:
        engine = _make(settings, name)
    except Exception as error:
        if isinstance(error, BackboneError):
            _host.failure, _host.failed = error, name
            _host.pauses.fail(str(error))
        _host.status = EngineStatus("failed", error=str(error) or type(error).__name__)
        raise
    seconds = time.monotonic() - started
    logger.info("Loaded the backbone %s on %s in %.1f s.", engine.info.name, engine.backbone.device, seconds)
    return engine


def _make(settings: Settings, name: str) -> "Engine":
    with heavy_imports:
        import torch

        from engine.backbone.loading import load_backbone
        from engine.serving.engine import Engine

    if settings.score_threads:
        torch.set_num_threads(settings.score_threads)
    engine = Engine(
        load_backbone(spec_of(name), settings.device, settings.precision, compiled=settings.compile),
        image_size=settings.image_size,
        cache_folder=settings.home / "features",
        cache_bytes=round(settings.feature_cache_gb * 1e9),
    )
    engine.warm_up()
    return engine
