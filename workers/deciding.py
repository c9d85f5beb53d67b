"""Whether a candidate goes into service: better on held-out corrections, and surely not worse."""

from dataclasses import dataclass

from engine.comparison import Comparison

# A metric might be worse when its interval reaches further below zero than this, and than half of its gain: a large
# gain on few images has a wide interval, and is worth its risk.
MARGIN = {"pixel_auroc": 0.01, "pixel_ap": 0.03, "image_auroc": 0.03}
_NAMES = {"pixel_auroc": "pixel AUROC", "pixel_ap": "pixel AP", "image_auroc": "image AUROC"}


@dataclass(frozen=True)
class Decision:
    """What was decided: put in service, refused, or (None) left to a person; and why, in one sentence."""

    promote: bool | None
    sentence: str


def decide(comparison: Comparison | None, method: str) -> Decision:
    """Judge a candidate by pixel AUROC, pixel AP and image AUROC, of those that the held-out images define.

    It goes into service when their mean is better and none of them might be worse.

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
    risky = [_NAMES[name] for name in measured if _might_be_worse(comparison, name)]
    if gain > 0 and not risky:
        return Decision(True, f"Put in service: better on held-out corrections ({figures}; {method}).")
    reason = f"{' and '.join(risky)} might be worse" if gain > 0 else "not better on held-out corrections"
    return Decision(False, f"Refused, the active prompts stay: {reason} ({figures}; {method}).")


def _might_be_worse(comparison: Comparison, name: str) -> bool:
    low, _ = comparison.interval[name] or (0.0, 0.0)
    return low < -max(MARGIN[name], (comparison.difference[name] or 0.0) / 2)


def _figure(comparison: Comparison, name: str) -> str:
    low, high = comparison.interval[name] or (float("nan"), float("nan"))
    return (
        f"{_NAMES[name]} {comparison.active[name]:.3f} → {comparison.candidate[name]:.3f}, "
        f"95 % interval of the difference {low:+.3f} … {high:+.3f}"
    )
