"""Library: all images at a glance."""

from webapp.components.library_grid import LibraryGrid


def build_library() -> None:
    """Lay out the place: one grid."""
    LibraryGrid()
