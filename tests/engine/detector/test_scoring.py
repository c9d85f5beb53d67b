"""The map's two matrix products are the upsampling and the filter that they stand for."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch.nn import functional as F

from engine.detector.scoring import anomaly_maps, to_grid, upsample
from engine.images.shapes import Grid


@pytest.mark.parametrize(("patches", "size"), [(8, 112), (11, 154), (37, 518), (32, 256)])
def test_maps_equal_upsampling_each_layer_and_filtering_with_scipy(patches, size):
    random = torch.Generator().manual_seed(patches)
    probabilities = torch.rand(3, 2, patches * patches, 2, generator=random)
    layers = [upsample(to_grid(layer), size) for layer in probabilities]
    summed = sum((layer[:, 1] + 1 - layer[:, 0]) / 2 for layer in layers).numpy()

    filtered = np.stack([gaussian_filter(one, sigma=4.0) for one in summed])

    # Torch places pixels between patches in float32: some 1e-6 of a patch off at the far edge of a large map.
    np.testing.assert_allclose(anomaly_maps(probabilities, size, sigma=4.0).numpy(), filtered, rtol=0, atol=2e-5)
    np.testing.assert_allclose(anomaly_maps(probabilities, size, sigma=0).numpy(), summed, rtol=0, atol=2e-5)


@pytest.mark.parametrize(("grid", "size"), [(Grid(4, 12), (32, 96)), (Grid(19, 7), (266, 98))])
def test_maps_of_any_grid_are_upsampled_and_filtered_along_their_own_sides(grid, size):
    probabilities = torch.rand(2, 3, grid.cells, 2, generator=torch.Generator().manual_seed(1))
    summed = ((probabilities[..., 1] + 1 - probabilities[..., 0]) / 2).sum(dim=0).unflatten(1, grid)[:, None]
    pixels = F.interpolate(summed, size=size, mode="bilinear", align_corners=False)[:, 0].numpy()

    filtered = np.stack([gaussian_filter(one, sigma=4.0) for one in pixels])

    np.testing.assert_allclose(anomaly_maps(probabilities, size, grid=grid).numpy(), filtered, rtol=0, atol=2e-5)
