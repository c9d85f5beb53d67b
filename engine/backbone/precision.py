"""In which number format the vision tower multiplies its matrices: chosen by the device, or by a setting.

Only the blocks' matrices are reduced. What is sensitive stays float32: layer norms, the residual stream that all blocks
add to, the position embedding, the class token's way to the joint space, unit norms and the softmax over cosines.
"""

import logging
from typing import Literal, get_args

import torch
from open_clip.transformer import VisionTransformer

from engine.errors import BackboneError

logger = logging.getLogger(__name__)

Precision = Literal["fp32", "bf16", "fp16"]
DTYPES: dict[Precision, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
# Instructions of a CPU that multiply in the format, by torch's names.
_CPU_FEATURES = {"bf16": ("amx_bf16", "avx512_bf16"), "fp16": ("amx_fp16", "avx512_fp16")}


def resolve_precision(setting: str, device: str) -> Precision:
    """What to compute in.

    Args:
        setting: `auto`, which is bf16 where the device multiplies in it (fp16 on a GPU that knows that alone), else
            fp32; or one of `fp32`, `bf16`, `fp16`, taken as it is. One that the device emulates is logged as slow.
        device: torch's name of the device.

    Raises:
        BackboneError: there is no such precision.
    """
    if setting == "auto":
        candidates: tuple[Precision, ...] = ("bf16", "fp16") if device.startswith("cuda") else ("bf16",)
        return next((one for one in candidates if is_fast(one, device)), "fp32")
    for precision in get_args(Precision):
        if precision == setting:
            if not is_fast(precision, device):
                logger.warning(
                    "ANOMALYLOOP_PRECISION=%s: %s has no instructions for it, so it is slower here than fp32. "
                    "Set it to auto or fp32.",
                    precision,
                    device,
                )
            return precision
    raise BackboneError(f"ANOMALYLOOP_PRECISION={setting!r} is none of: auto, fp32, bf16, fp16.")


def is_fast(precision: Precision, device: str) -> bool:
    """Whether the device has instructions for products in the precision; without them they are emulated, and slow."""
    if precision == "fp32":
        return True
    if device.startswith("cuda"):
        # Tensor cores came with 7.0 in float16, and with 8.0 in bfloat16.
        return torch.cuda.get_device_capability(device) >= ((8, 0) if precision == "bf16" else (7, 0))
    if device == "cpu":
        known = torch.cpu.get_capabilities()
        return any(known.get(name, False) for name in _CPU_FEATURES[precision])
    return False


def reduce_blocks(visual: VisionTransformer, precision: Precision) -> None:
    """Bring the matrices of a tower's blocks into the precision, in place: no float32 copy of them stays."""
    for block in visual.transformer.resblocks:
        block.attn.to(DTYPES[precision])
        block.mlp.to(DTYPES[precision])
