"""Random fields: the noise that textures, outlines and lighting are made of. Everything is (s, s) float32."""

import functools

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

Field = npt.NDArray[np.float32]
Bits = npt.NDArray[np.bool_]
Rng = np.random.Generator


@functools.lru_cache(maxsize=8)
def grid(size: int) -> tuple[Field, Field]:
    """Row and column of each pixel's centre, from −1 to 1."""
    axis = (np.arange(size, dtype=np.float32) + 0.5) * (2 / size) - 1
    rows, columns = np.meshgrid(axis, axis, indexing="ij")
    return rows, columns


def lattice(rng: Rng, size: int, rows: int, columns: int | None = None) -> Field:
    """Smooth noise, about −1 to 1: `rows` × `columns` random values, enlarged bicubically."""
    columns = rows if columns is None else columns
    small = rng.uniform(-1, 1, (min(rows, size), min(columns, size))).astype(np.float32)
    return np.asarray(Image.fromarray(small).resize((size, size), Image.Resampling.BICUBIC), dtype=np.float32)


def fractal(rng: Rng, size: int, first: int = 3, octaves: int = 4, fall: float = 0.55) -> Field:
    """Sum of lattices, each twice as fine and `fall` as strong; deviation 1, mean 0."""
    total = np.zeros((size, size), dtype=np.float32)
    for octave in range(octaves):
        cells = first * 2**octave
        if cells > size:
            break
        total += fall**octave * lattice(rng, size, cells)
    return standard(total)


def grain(rng: Rng, size: int, blur: float | tuple[float, float] = 0.0) -> Field:
    """White noise, blurred by `blur` px (rows, columns); deviation 1."""
    noise = rng.standard_normal((size, size), dtype=np.float32)
    return standard(ndimage.gaussian_filter(noise, blur, mode="wrap")) if np.any(blur) else noise


def standard(field: npt.NDArray[np.floating]) -> Field:
    """The field with mean 0 and deviation 1."""
    centred = field - field.mean()
    return (centred / (centred.std() + 1e-6)).astype(np.float32)


def unit(field: Field) -> Field:
    """The field stretched to 0–1."""
    low, high = field.min(), field.max()
    return (field - low) / (high - low + 1e-6)


def cells(rng: Rng, size: int, count: int) -> tuple[Field, npt.NDArray[np.int64]]:
    """Cells around `count` random points: distance to the nearest point in px, and which point it is."""
    seeds = np.ones((size, size), dtype=bool)
    seeds[rng.integers(0, size, count), rng.integers(0, size, count)] = False
    distance, (rows, columns) = ndimage.distance_transform_edt(seeds, return_indices=True)
    owner = rows.astype(np.int64) * size + columns
    return distance.astype(np.float32), owner


def cell_values(rng: Rng, owner: npt.NDArray[np.int64]) -> Field:
    """One random value, 0–1, for each cell of `cells`."""
    table = rng.random(int(owner.max()) + 1, dtype=np.float32)
    return table[owner]


def rotated(size: int, angle: float) -> tuple[Field, Field]:
    """`grid` turned by `angle` in radians."""
    rows, columns = grid(size)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return cos * rows - sin * columns, sin * rows + cos * columns


def displaced(field: npt.NDArray[np.float32], rows: Field, columns: Field) -> npt.NDArray[np.float32]:
    """`field` (s, s) or (s, s, c) read at each pixel + (rows, columns) px, bilinearly, mirrored at the border."""
    size = field.shape[0]
    base_rows, base_columns = np.mgrid[0:size, 0:size].astype(np.float32)
    where = np.stack([base_rows + rows, base_columns + columns])
    if field.ndim == 2:
        return ndimage.map_coordinates(field, where, order=1, mode="mirror")
    channels = [ndimage.map_coordinates(field[..., c], where, order=1, mode="mirror") for c in range(field.shape[2])]
    return np.stack(channels, axis=-1)


def soft_step(field: npt.NDArray[np.floating], width: float) -> Field:
    """0 below −width, 1 above width, smooth between."""
    t = np.clip(field / (2 * max(width, 1e-6)) + 0.5, 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)
