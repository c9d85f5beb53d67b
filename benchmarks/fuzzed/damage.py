"""Ways in which files are damaged, or are made to be."""

from random import Random


def damaged(data: bytes, other: bytes, rng: Random) -> bytes:
    """The file, damaged in one of seven ways."""
    way, at, changed = rng.randrange(7), rng.randrange(len(data)), bytearray(data)
    if way == 0:  # bits
        for _ in range(rng.randint(1, 30)):
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    elif way == 1:  # the header
        for _ in range(rng.randint(1, 8)):
            changed[rng.randrange(min(128, len(changed)))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    elif way == 2:  # cut off
        del changed[at:]
    elif way == 3:  # something in between
        changed[at:at] = rng.randbytes(rng.randint(1, 200))
    elif way == 4:  # a piece is gone, or there twice
        piece = changed[at : at + rng.randint(1, 200)]
        changed[at : at + len(piece)] = rng.choice((b"", bytes(piece) * 2))
    elif way == 5:  # four bytes that are mostly a size or an offset
        at = rng.randrange(max(1, min(512, len(changed) - 4)))
        changed[at : at + 4] = rng.choice((b"\xff" * 4, b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f"))
    else:  # goes on as another file
        changed[at:] = other[rng.randrange(len(other)) :]
    return bytes(changed)
