"""Whether a candidate goes into service: better on held-out corrections, and surely not worse."""

from dataclasses import dataclass

from engine.comparison import Comparison

# Something might be worse when its interval reaches further below zero than this, and than half of its gain: a large
# gain on few images has a wide interval, and is worth its risk.
MARGIN = 0.01
_NAMES = {"pixel_auroc": "pixel AUROC", "pixel_ap": "pixel AP", "image_auroc": "image AUROC"}
# Few images order few pairs: the interval of image AUROC is wide whatever happens, so it only counts when it is surely
# worse, and in the mean.
_GUARDED = {"pixel_auroc": MARGIN, "pixel_ap": 0.03}


@dataclass(frozen=True)
class Decision:
    """What was decided: put in service, refused, or (None) left to a person; and why, in one sentence."""

    promote: bool | None
    sentence: str


def decide(comparison: Comparison | None, method: str) -> Decision:
    """Judge a candidate by pixel AUROC, pixel AP and image AUROC, of those that the held-out images define.

    It goes into service when their mean is better, neither the mean nor a pixel metric might be worse, and image AUROC
    is not surely worse.

    Args:
        comparison: candidate against active; None: there was nothing to judge on.
        method: how the images were held out, for the sentence.
    """
    if comparison is None or comparison.gain is None or comparison.gain_interval is None:
        return Decision(
            None,
            "There were too few corrections with anomalies to judge the new prompts: they wait. "
            "Correct at least two anomalous images, or activate them by hand.",
        )
    figures = ", ".join(_figure(comparison, name) for name in _NAMES if comparison.difference[name] is not None)
    if comparison.gain <= 0:
        reason = "not better on held-out corrections"
    elif not (reason := " and ".join(_risks(comparison))):
        return Decision(True, f"Put in service: better on held-out corrections ({figures}; {method}).")
    return Decision(False, f"Refused, the active prompts stay: {reason} ({figures}; {method}).")


def _risks(comparison: Comparison) -> list[str]:
    risks = [
        f"{_NAMES[name]} might be worse"
        for name, margin in _GUARDED.items()
        if _reaches_down(comparison.interval[name], comparison.difference[name], margin)
    ]
    image = comparison.interval["image_auroc"]
    if image is not None and image[1] < 0:
        risks.append("image AUROC is worse")
    if not risks and _reaches_down(comparison.gain_interval, comparison.gain, MARGIN):
        risks.append("their mean might be worse")
    return risks


def _reaches_down(interval: tuple[float, float] | None, gain: float | None, margin: float) -> bool:
    return interval is not None and interval[0] < -max(margin, (gain or 0.0) / 2)


def _figure(comparison: Comparison, name: str) -> str:
    low, high = comparison.interval[name] or (float("nan"), float("nan"))
    return (
        f"{_NAMES[name]} {comparison.active[name]:.3f} → {comparison.candidate[name]:.3f}, "
        f"95 % interval of the difference {low:+.3f} … {high:+.3f}"
    )
