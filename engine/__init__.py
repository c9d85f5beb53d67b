"""What is wrong with an image, and where: AnomalyCLIP on open_clip models.

Begin with `from engine import Detector`, the engine as a library (docs/library.md). Knows neither database, nor web,
nor task queue, nor settings, and reads no environment variable. Importing the package is cheap; torch comes with the
class.
"""

from typing import TYPE_CHECKING

__all__ = ["Detector"]

if TYPE_CHECKING:
    from engine.library import Detector
else:

    def __getattr__(name: str) -> object:
        """The library's class, loaded when it is first asked for."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from engine import library

        return getattr(library, name)
