"""How many pixels this process holds at the same time, whatever comes at once."""

from engine.images.pixel_room import PixelRoom

# Pixels that are decoded at the same time, as many as one of the largest uploads has: several such at once would take
# more memory than a container has.
DECODING = PixelRoom(100_000_000)
# What is made into another picture at the same time, maps of full size too: as many pixels as one of the largest has.
SHOWING = PixelRoom(100_000_000)
