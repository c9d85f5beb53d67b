"""docs/models.md lists every model of open_clip: fits, or why not. The table is made here, and compared."""

from pathlib import Path

import open_clip

from engine.backbone.plans import why_not

DOCUMENT = Path(__file__).parents[3] / "docs" / "models.md"


def table() -> str:
    """Every configuration, built without weights where it is of CLIP's kind; those that fit first."""
    fit, unfit = [], []
    for name in sorted(open_clip.list_models(), key=str.lower):
        config = open_clip.get_model_config(name)
        reason = why_not(config)
        if reason:
            unfit.append(f"| `{name}` | {reason} |")
            continue
        vision = config["vision_cfg"]
        tags = ", ".join(f"`{tag}`" for tag in open_clip.list_pretrained_tags_by_model(name)) or "none: by file"
        size = f"{vision['layers']} × {vision['width']}, patches of {vision['patch_size']} px"
        fit.append(f"| `{name}` | {size} | {tags} |")
    return "\n".join(
        ("| fits | image tower | weights |", "|---|---|---|", *fit, "", "| does not fit | why |", "|---|---|", *unfit)
    )


def test_the_document_says_of_every_model_whether_it_fits():
    made, written = table().splitlines(), DOCUMENT.read_text().splitlines()
    missing = [line for line in made if line not in written]
    assert not missing, "docs/models.md is not what open_clip has; it should have:\n" + "\n".join(made)
    listed = {line.split("`")[1] for line in written[written.index(made[0]) :] if line.startswith("| `")}
    assert listed == set(open_clip.list_models())
