"""The map's two matrix products are the upsampling and the filter that they stand for."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from engine.scoring import anomaly_maps, to_grid, upsample


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
