"""Whether a candidate goes into service: better on held-out corrections, and surely not worse."""

from dataclasses import dataclass

from engine.comparison import Comparison

# How likely a loss may be, by resampling the held-out images: of the mean of all metrics, and of a single one (by more
# than engine.comparison.TOLERATED), which luck swings more. A run that is refused teaches nothing; a version that turns
# out worse is one click from being rolled back.
MEAN_RISK = 0.15
SINGLE_RISK = 1 / 3
_NAMES = {
    "pixel_auroc": "pixel AUROC",
    "pixel_ap": "pixel AP",
    "within_auroc": "pixel AUROC within an image",
    "image_auroc": "image AUROC",
}


@dataclass(frozen=True)
class Decision:
    """What was decided: put in service, refused, or (None) left to a person; and why, in one sentence."""

    promote: bool | None
    sentence: str


def decide(comparison: Comparison | None, method: str) -> Decision:
    """Judge a candidate by pixel metrics over all images and within each, and by image AUROC.

    It goes into service when their mean is better and unlikely to be worse by luck, no pixel metric is likely to have
    fallen, and image AUROC is not surely worse: few images order few pairs, so its interval is wide whatever happens.

    Args:
        comparison: candidate against active; None: there was nothing to judge on.
        method: how the images were held out, for the sentence.
    """
    if comparison is None or comparison.gain is None:
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
        for name, risk in comparison.risk.items()
        if risk is not None and risk > SINGLE_RISK
    ]
    image = comparison.interval["image_auroc"]
    if image is not None and image[1] < 0:
        risks.append("image AUROC is worse")
    if not risks and (comparison.gain_risk or 0.0) > MEAN_RISK:
        risks.append(f"they might be worse on average (by luck of the images, {comparison.gain_risk:.0%})")
    return risks


def _figure(comparison: Comparison, name: str) -> str:
    low, high = comparison.interval[name] or (float("nan"), float("nan"))
    return (
        f"{_NAMES[name]} {comparison.active[name]:.3f} → {comparison.candidate[name]:.3f}, "
        f"95 % interval of the difference {low:+.3f} … {high:+.3f}"
    )
