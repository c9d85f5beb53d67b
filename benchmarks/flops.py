"""How much arithmetic the vision tower needs, and how much a GPU can do: together, the share of its peak in use."""

from engine.backbone.vision_tower import TwoStreamVision

# Dense bf16 (fp16 on the T4 and V100) products with float32 sums, 10¹² operations a second, by the makers' data sheets.
_PEAK_TERAFLOPS = {
    "H200": 989.0,
    "H100 PCIe": 756.0,
    "H100": 989.0,
    "A100": 312.0,
    "L40S": 362.0,
    "L4": 121.0,
    "A10": 125.0,
    "RTX 4090": 165.0,
    "RTX 3090": 71.0,
    "V100": 125.0,
    "T4": 65.0,
}


def peak_teraflops(device_name: str) -> float | None:
    """Of a GPU by its name, longest match first; None where it is not in the table."""
    for name in sorted(_PEAK_TERAFLOPS, key=len, reverse=True):
        if name in device_name:
            return _PEAK_TERAFLOPS[name]
    return None


def image_teraflops(vision: TwoStreamVision, image_size: int, layers: int) -> float:
    """10¹² operations that the engine does for one image; a multiplication and an addition count as two.

    Matrix products alone: patch embedding, both streams' attention, MLPs, the layers' way to the joint space.
    """
    visual = vision.visual
    width, joint = visual.proj.shape
    patches = (image_size // visual.patch_size[0]) ** 2
    tokens = patches + 1
    blocks = len(visual.transformer.resblocks)
    local = blocks - vision.first_local_block
    hidden = visual.transformer.resblocks[0].mlp.c_fc.out_features
    attention = 4 * tokens**2 * width
    projections, mlp = 2 * tokens * width * (3 + 1) * width, 4 * tokens * width * hidden
    total = blocks * (projections + attention + mlp) + local * (attention + 2 * tokens * width**2)
    if local:  # of the last block's original stream, the class token alone is needed
        total -= attention + 2 * tokens * width**2 + mlp
    total += 2 * patches * 3 * visual.patch_size[0] ** 2 * width + layers * 2 * tokens * width * joint
    return total / 1e12
