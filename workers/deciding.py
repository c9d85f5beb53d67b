"""Whether a candidate goes into service: better on held-out corrections, and surely not worse."""

from dataclasses import dataclass

from engine.comparison import Comparison

# A metric whose interval reaches further down than this might be worse; then the active prompts stay.
MARGIN = 0.01
_NAMES = {"pixel_auroc": "pixel AUROC", "image_auroc": "image AUROC"}


@dataclass(frozen=True)
class Decision:
    """What was decided: put in service, refused, or (None) left to a person; and why, in one sentence."""

    promote: bool | None
    sentence: str


def decide(comparison: Comparison | None, method: str) -> Decision:
    """Judge a candidate by pixel and image AUROC.

    It goes into service when their mean is better and no interval of the difference reaches below −0.01.

    Args:
        comparison: candidate against active; None: there was nothing to judge on.
        method: how the images were held out, for the sentence.
    """
    measured = [name for name in _NAMES if comparison and comparison.difference[name] is not None]
    if comparison is None or not measured:
        return Decision(
            None,
            "There were too few corrections with anomalies to judge the new prompts: they wait. "
            "Correct at least two anomalous images, or activate them by hand.",
        )
    figures = ", ".join(_figure(comparison, name) for name in measured)
    gain = sum(comparison.difference[name] or 0.0 for name in measured)
    risky = [_NAMES[name] for name in measured if (comparison.interval[name] or (0.0, 0.0))[0] < -MARGIN]
    if gain > 0 and not risky:
        return Decision(True, f"Put in service: better on held-out corrections ({figures}; {method}).")
    reason = f"{' and '.join(risky)} might be worse" if gain > 0 else "not better on held-out corrections"
    return Decision(False, f"Refused, the active prompts stay: {reason} ({figures}; {method}).")


def _figure(comparison: Comparison, name: str) -> str:
    low, high = comparison.interval[name] or (float("nan"), float("nan"))
    return (
        f"{_NAMES[name]} {comparison.active[name]:.3f} → {comparison.candidate[name]:.3f}, "
        f"95 % interval of the difference {low:+.3f} … {high:+.3f}"
    )
