"""What can go wrong in the engine. Every message is meant for a person: what happened, why, what to do."""


class EngineError(Exception):
    """Base of the engine's errors."""


class ImageError(EngineError):
    """An upload can't be used as an image or as a mask."""


class NoMask(ImageError):
    """A photograph, or a map of shades, in the place of a mask."""


class BackboneError(EngineError):
    """The backbone can't be loaded, or is of a kind that the method doesn't fit."""


class PromptError(EngineError):
    """A prompt file can't be read, or belongs to another backbone."""
