"""Library: all images at a glance."""

from webapp.components.library_grid import library_grid


def build_library() -> None:
    """Lay out the place: one grid."""
    library_grid()
