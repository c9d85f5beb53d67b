"""What people upload → pixels, and what a mask says. Knows no torch."""

from engine.images.decoding import (
    Decoder,
    decode_image,
    depth_set_by,
    depth_set_by_image,
    is_deep,
    stored_orientation,
    turned,
    upright_image,
)
from engine.images.depth import DepthRule
from engine.images.mask_files import Marked, decode_mask, doubt, encode_mask, is_photograph, read_marks
from engine.images.showing import display_image, shown_as_it_is, thumbnail, to_rgb
from engine.images.suffixes import IMAGE_SUFFIXES

__all__ = [
    "IMAGE_SUFFIXES",
    "Decoder",
    "DepthRule",
    "Marked",
    "decode_image",
    "decode_mask",
    "depth_set_by",
    "depth_set_by_image",
    "display_image",
    "doubt",
    "encode_mask",
    "is_deep",
    "is_photograph",
    "read_marks",
    "shown_as_it_is",
    "stored_orientation",
    "thumbnail",
    "to_rgb",
    "turned",
    "upright_image",
]
