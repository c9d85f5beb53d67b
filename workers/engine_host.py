"""The one engine of this process: loaded when first needed, shared by its threads. torch is imported here, inside."""

import logging
import threading
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from engine.errors import BackboneError, EngineError
from settings import Settings, get_settings
from workers.imports import heavy_imports
from workers.trouble import Pauses, Trouble

if TYPE_CHECKING:
    from engine.serving import Engine

logger = logging.getLogger(__name__)


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


class _Host:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.engine: Engine | None = None
        self.failure: Exception | None = None
        # A hub that is away comes back, and a file may be put where it is looked for.
        self.pauses = Pauses(first=5.0, longest=300.0)
        self.trouble = Trouble()
        self.status = EngineStatus()


_host = _Host()


def get_engine() -> "Engine":
    """The engine; loads it on the first call, and lets others wait meanwhile.

    Raises:
        BackboneError: the backbone of the settings can't be loaded; it is tried again after growing pauses, up to five
            minutes. Whatever else goes wrong is tried again by the next call.
    """
    with _host.lock:
        if _host.failure is not None and _host.pauses.left:
            raise _host.failure
        if _host.engine is None:
            _host.engine = _load(get_settings())
        return _host.engine


def start_loading(after_seconds: float = 0.0) -> None:
    """Begin to load in the background, now or a little later; returns at once."""
    timer = threading.Timer(after_seconds, _load_quietly)
    timer.daemon = True
    timer.start()


def engine_status() -> dict[str, Any]:
    """The state of this process's engine, at once: the fields of `EngineStatus`."""
    cache = _host.engine.cache if _host.engine is not None else None
    counts = {"cache_hits": cache.hits, "cache_misses": cache.misses} if cache is not None else {}
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


def _load(settings: Settings) -> "Engine":
    started = time.monotonic()
    _host.status = EngineStatus("loading")
    try:
        engine = _make(settings)
    except Exception as error:
        if isinstance(error, BackboneError):
            _host.failure = error
            _host.pauses.fail(str(error))
        _host.status = EngineStatus("failed", error=str(error) or type(error).__name__)
        raise
    _host.failure = None
    info, device, precision = engine.info, str(engine.backbone.device), engine.backbone.precision
    _host.status = EngineStatus("ready", "", info.name, info.fingerprint, info.description, device, precision)
    seconds = time.monotonic() - started
    logger.info("Loaded the backbone %s on %s in %s in %.1f s.", info.name, device, precision, seconds)
    return engine


def _make(settings: Settings) -> "Engine":
    with heavy_imports:
        import torch

        from engine.backbone import load_backbone
        from engine.serving import Engine

    if settings.score_threads:
        torch.set_num_threads(settings.score_threads)
    engine = Engine(
        load_backbone(settings.backbone, settings.device, settings.precision, compiled=settings.compile),
        image_size=settings.image_size,
        cache_folder=settings.home / "features",
        cache_bytes=round(settings.feature_cache_gb * 1e9),
    )
    engine.warm_up()
    return engine
