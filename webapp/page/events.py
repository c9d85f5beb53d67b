"""What the events of the page have in common."""

from typing import Literal, TypedDict


class Quiet(TypedDict):
    """Keyword arguments of an event listener."""

    show_progress: Literal["hidden"]
    api_visibility: Literal["private"]


# No spinner over what is shown, and no entry in Gradio's own API: the project's is REST.
QUIET: Quiet = {"show_progress": "hidden", "api_visibility": "private"}
