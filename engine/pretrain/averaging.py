"""`python -m engine.pretrain.averaging DIR DIR --out DIR`: the mean of the weights of two rounds.

Where a later round begins with the weights of an earlier one, their mean is often better than either on images unlike
those trained on (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022).
"""

import argparse
import json
from pathlib import Path

import torch

from engine.backbone.weight_files import load_weights
from engine.pretrain.export import NAME, export
from engine.pretrain.model import build_model


def average(folders: list[Path], out: Path) -> None:
    """Write the mean of the exported weights in `folders` into `out`.

    Raises:
        ValueError: their models are built differently.
    """
    configs = [json.loads((folder / f"{NAME}.json").read_text()) for folder in folders]
    built = [[config[part] for part in ("model_cfg", "layers", "dpam_layer")] for config in configs]
    if any(one != built[0] for one in built):
        raise ValueError(f"The models in {', '.join(map(str, folders))} are built differently: they have no mean.")
    model_cfg, layers, dpam_layer = built[0]
    model, states = build_model(0, model_cfg), []
    for folder in folders:
        load_weights(model, folder / f"{NAME}.safetensors")
        states.append({name: tensor.clone() for name, tensor in model.state_dict().items()})
    model.load_state_dict({name: torch.stack([state[name] for state in states]).mean(dim=0) for name in states[0]})
    out.mkdir(parents=True, exist_ok=True)
    export(model, out, layers=layers, dpam_layer=dpam_layer, model_cfg=model_cfg)


def main() -> None:
    """Parse the command line and average."""
    parser = argparse.ArgumentParser(prog="python -m engine.pretrain.averaging", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR", help="folders of rounds")
    parser.add_argument("--out", type=Path, required=True, help="folder for the mean")
    arguments = parser.parse_args()
    try:
        average(arguments.folders, arguments.out)
    except (OSError, ValueError) as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
