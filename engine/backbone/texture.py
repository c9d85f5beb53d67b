"""The texture eye: a frozen convolutional network whose features tell surfaces, edges and small marks apart.

It is the first eleven blocks of EfficientNet-Lite0 (Tan and Le, ICML 2019; the Lite variant of 2020), trained on
ImageNet. docs/texture_eye.md says where its weights come from.
"""

import hashlib
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional

from engine.errors import BackboneError

WEIGHTS = Path(__file__).parent / "weights" / "texture.safetensors"
# The entry of its metadata that holds `digest` of its tensors.
DIGEST = "weights_sha256"
_RESTORE = "It comes with AnomalyLoop: restore it."
# Grows with each change of what the features mean.
CODE_VERSION = 1
# Both sides of an image must be multiples of it, in px.
MULTIPLE = 16
STRIDES = (4, 8, 16)
CHANNELS = (24, 40, 112)
# Of the network's training: grey values 0…255, less 127, over 128.
_MEAN, _STD = 127 / 255, 128 / 255
_STEM_CHANNELS = 32


class BlockShape(NamedTuple):
    """An inverted residual block: `expansion` times its input's channels, a depthwise convolution, `out` channels."""

    out: int
    kernel: int
    stride: int
    expansion: int


BLOCKS = (
    BlockShape(16, 3, 1, 1),
    *(BlockShape(24, 3, stride, 6) for stride in (2, 1)),
    *(BlockShape(40, 5, stride, 6) for stride in (2, 1)),
    *(BlockShape(80, 3, stride, 6) for stride in (2, 1, 1)),
    *(BlockShape(112, 5, stride, 6) for stride in (1, 1, 1)),
)
# The blocks whose outputs are features: the last ones of 24, 40 and 112 channels.
_TAPS = (2, 4, 10)


class TextureEye(nn.Module):
    """Image → features at strides 4, 8 and 16 px. Frozen; build it with `load_texture_eye`.

    Attributes:
        fingerprint: 16 hex digits of a sha256 of the weights and the code's version, for keys of caches.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fingerprint = ""
        self.stem = _Convolution(3, _STEM_CHANNELS, kernel=3, stride=2)
        ins = (_STEM_CHANNELS, *(shape.out for shape in BLOCKS))
        self.blocks = nn.ModuleList(_Block(channels, shape) for channels, shape in zip(ins, BLOCKS, strict=False))

    @torch.no_grad()  # not inference_mode: what is learnt on the features must be able to keep them for its gradients
    def forward(self, batch: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features of images.

        Args:
            batch: (B, 3, h, w) float32, RGB in 0…1, h and w multiples of 16 px, on the eye's device.

        Returns:
            (B, 24, h/4, w/4), (B, 40, h/8, w/8) and (B, 112, h/16, w/16), float32, in channels-last memory.

        Raises:
            ValueError: another shape.
        """
        if batch.ndim != 4 or batch.shape[1] != 3 or batch.shape[2] % MULTIPLE or batch.shape[3] % MULTIPLE:
            raise ValueError(
                f"The texture eye takes (B, 3, h, w) with h and w multiples of {MULTIPLE}, not {tuple(batch.shape)}. "
                "Resize or pad the images first."
            )
        if batch.is_cuda or torch.compiler.is_compiling():  # an exported batch has no size yet
            return self._features(batch)
        # One by one: a CPU's caches and allocator take twice as long for an image of 512 px in a batch.
        fine, middle, coarse = zip(*(self._features(image) for image in batch.split(1)), strict=True)
        return torch.cat(fine), torch.cat(middle), torch.cat(coarse)

    def _features(self, batch: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = ((batch - _MEAN) / _STD).contiguous(memory_format=torch.channels_last)
        x = _relu6(self.stem(x))
        features = []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in _TAPS:
                features.append(x)
        fine, middle, coarse = features
        return fine, middle, coarse


class _Convolution(nn.Module):
    """A convolution padded as TensorFlow's "same" on even sides, with the batch normalisation folded into it."""

    def __init__(self, ins: int, outs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outs, ins // groups, kernel, kernel), requires_grad=False)
        self.bias = nn.Parameter(torch.empty(outs), requires_grad=False)
        self.stride, self.groups, self.padding = stride, groups, kernel // 2

    def forward(self, x: Tensor) -> Tensor:
        if self.stride == 1:
            return functional.conv2d(x, self.weight, self.bias, 1, self.padding, 1, self.groups)
        # "Same" at stride 2 pads one px less before than after. One px more on all sides, and the first row and column
        # of the output dropped, is the same without a padded copy of the input.
        padded = functional.conv2d(x, self.weight, self.bias, self.stride, self.padding + 1, 1, self.groups)
        return padded[..., 1:, 1:]


class _Block(nn.Module):
    def __init__(self, ins: int, shape: BlockShape) -> None:
        super().__init__()
        width = ins * shape.expansion
        self.expand = _Convolution(ins, width) if shape.expansion > 1 else None
        self.depthwise = _Convolution(width, width, shape.kernel, shape.stride, groups=width)
        self.project = _Convolution(width, shape.out)
        self.residual = shape.stride == 1 and ins == shape.out

    def forward(self, x: Tensor) -> Tensor:
        wide = x if self.expand is None else _relu6(self.expand(x))
        out = self.project(_relu6(self.depthwise(wide)))
        return out.add_(x) if self.residual else out


def _relu6(x: Tensor) -> Tensor:
    """In the memory of x; not in an exported model, which would copy x into itself for it."""
    return functional.relu6(x, inplace=not torch.compiler.is_compiling())


def load_texture_eye(device: str | torch.device = "cpu", file: Path = WEIGHTS) -> TextureEye:
    """The texture eye with its weights, on a device.

    Args:
        device: torch's name of the device.
        file: the weights, as `python -m engine.backbone.texture_weights` writes them.

    Raises:
        BackboneError: the file is missing, damaged or of another network; the device can't be used.
    """
    if not file.is_file():
        raise BackboneError(f"There is no file {file}, which the texture features need. {_RESTORE}")
    eye = TextureEye()
    try:
        with safe_open(file, "pt") as opened:
            weights = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
            expected = (opened.metadata() or {}).get(DIGEST)
        eye.load_state_dict(weights)
    except Exception as error:  # safetensors, torch and the file system each have their own
        raise BackboneError(
            f"{file} does not hold the texture eye's weights, or is damaged "
            f"({type(error).__name__}: {str(error).splitlines()[0]}). {_RESTORE}"
        ) from error
    if (found := digest(weights)) != expected:
        raise BackboneError(f"{file} is damaged: its numbers are not those that it was written with. {_RESTORE}")
    eye.fingerprint = hashlib.sha256(f"{found} {CODE_VERSION}".encode()).hexdigest()[:16]
    try:
        return eye.eval().to(device).to(memory_format=torch.channels_last)
    except (RuntimeError, AssertionError) as error:
        raise BackboneError(
            f"The texture eye can't use the device {device} ({str(error).splitlines()[0]}). Use cpu."
        ) from error


def digest(weights: dict[str, Tensor]) -> str:
    """sha256 over every tensor's name, shape and bytes; a safetensors file's own differs each time it is written."""
    found = hashlib.sha256()
    for name in sorted(weights):
        found.update(f"{name}{tuple(weights[name].shape)}".encode())
        found.update(weights[name].contiguous().numpy().tobytes())
    return found.hexdigest()
