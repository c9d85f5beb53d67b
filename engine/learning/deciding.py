"""Whether a candidate goes into service: which of those offered is best, and whether it is surely not worse."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.learning.claiming import expected
from engine.learning.comparison import Comparison

# How likely a loss may be, by resampling the corrections: of the mean of all metrics of something new…
NEW_RISK = 0.05
# …of a single metric, by more than engine.learning.comparison.TOLERATED…
SINGLE_RISK = 1 / 3
# …and a loss that is worth speaking of, on average or of a single metric, where what is in service was learnt in the
# same way from fewer corrections: more of them make it better, unless they say otherwise.
REFIT_RISK, REFIT_SINGLE_RISK = 0.35, 0.75
# Images of each label below which scores alone decide nothing.
FEWEST_IMAGES = 6
# What something new must bring at least: the fewer corrections, the more.
_LEAST_GAIN, _LEAST_GAIN_OF_ONE = 0.003, 0.05
# By how much prompts or heads must be better than what also sees pixels and whole images to be chosen before it.
_PATCHES_ALONE = 0.03
_NAMES = {
    "pixel_auroc": "pixel AUROC",
    "pixel_ap": "pixel AP",
    "within_auroc": "pixel AUROC within an image",
    "image_auroc": "image AUROC",
}
# What a metric is about, for whoever inspects.
_LOSSES = {
    "pixel_auroc": "mark defects less well",
    "pixel_ap": "mark defects less well",
    "within_auroc": "mark defects less well",
    "image_auroc": "tell images apart less well",
}


@dataclass(frozen=True)
class Offer:
    """One of the things that a run offers, with its figures out of fold.

    Attributes:
        name: `active`, `prompts`, `heads` or `refiner`.
        metrics: by name; None where undefined.
        gain: mean difference from the active one; None for that itself, and where nothing can be measured.
        problem: why it can't go into service; empty where it can.
    """

    name: str
    metrics: dict[str, float | None]
    gain: float | None = None
    problem: str = ""


@dataclass(frozen=True)
class Decision:
    """What was decided: put in service, refused, or (None) left to a person; what was chosen, and why in a sentence."""

    promote: bool | None
    sentence: str
    chosen: str = ""


def choose(
    comparisons: dict[str, Comparison], *, corrections: int, fewest: int, refit: Sequence[str] = ()
) -> tuple[Decision, list[Offer]]:
    """Choose among candidates.

    Args:
        comparisons: each candidate against the active one, on the same corrections, out of fold.
        corrections: how many there are…
        fewest: …and how many of the rarer label.
        refit: names of candidates that are learnt as the active one is, from more corrections.

    Returns:
        the decision, and what was offered, the active one first.
    """
    defined = {name: one for name, one in comparisons.items() if one.gain is not None}
    if not defined:
        return Decision(
            None,
            "There are too few corrections with anomalies to judge what was learnt: it waits. "
            "Correct at least two anomalous images, or activate it by hand.",
        ), []
    offers = [Offer("active", next(iter(defined.values())).active)]
    offers += [
        Offer(name, one.candidate, one.gain, _problem(one, corrections, fewest, name in refit))
        for name, one in defined.items()
    ]
    fit = [one for one in offers[1:] if not one.problem]
    best = max(fit or offers[1:], key=_worth)
    if fit:
        return Decision(True, f"Put in service: {_better(expected(defined[best.name]))}.", best.name), offers
    return Decision(False, f"Refused, what is in service stays: {best.problem}.", best.name), offers


def hold_to_golden(decision: Decision, worse: Sequence[str], images: int) -> Decision:
    """What is decided once the candidate has judged the golden set; a refusal stays as it is.

    Args:
        decision: by what was judged out of fold.
        worse: names of the golden images that the version in use judges right and the candidate wrong.
        images: in the golden set.
    """
    if not images or decision.promote is False:
        return decision
    if not worse:
        passed = f"{decision.sentence} Golden images: {images}, none of them judged worse than before."
        return replace(decision, sentence=passed)
    sentence = (
        f"Refused, what is in service stays: it judges the golden image {worse[0]} wrong, which the version in use "
        "judges right."
    )
    if len(worse) > 1:
        sentence = (
            f"Refused, what is in service stays: it judges {len(worse)} golden images wrong that the version in use "
            f"judges right, such as {worse[0]}."
        )
    return replace(decision, promote=False, sentence=sentence)


def left_to_second_person(decision: Decision) -> Decision:
    """The same where the project wants a second person to put in service what a run would."""
    if not decision.promote:
        return decision
    words = decision.sentence.removeprefix("Put in service: ").removesuffix(".")
    return replace(decision, promote=None, sentence=f"Waits for a second person: {words}.")


def _worth(offer: Offer) -> float:
    """What an offer brings; prompts and heads, which see patches alone, must be better by more than luck gives."""
    return (offer.gain or 0.0) - (_PATCHES_ALONE if offer.name in ("prompts", "heads") else 0.0)


def _problem(comparison: Comparison, corrections: int, fewest: int, refit: bool) -> str:
    gain = comparison.gain or 0.0
    least = _LEAST_GAIN + _LEAST_GAIN_OF_ONE / corrections
    limit = REFIT_SINGLE_RISK if refit else SINGLE_RISK
    worse = _worse([name for name, risk in comparison.risk.items() if risk is not None and risk > limit])
    if refit:
        if (comparison.loss_risk or 0.0) > REFIT_RISK:
            return "with the new corrections it might be worse than before"
        return worse
    if comparison.difference["pixel_auroc"] is None and fewest < FEWEST_IMAGES:
        return (
            f"without masks, fewer than {FEWEST_IMAGES} normal and {FEWEST_IMAGES} anomalous images can't tell what is "
            "better; correct more of both"
        )
    if gain < least:
        return "nothing that was learnt is better yet on corrections it had not seen"
    if worse:
        return worse
    luck = comparison.gain_risk or 0.0
    if luck > NEW_RISK:
        return f"it looks better, but on so few corrections that may be luck (a chance of {100 * luck:.0f} %)"
    return ""


def _worse(names: Sequence[str]) -> str:
    """What might be lost, in words, with the metrics that say so; empty where none does."""
    lost: dict[str, list[str]] = {}
    for name in names:
        lost.setdefault(_LOSSES[name], []).append(_NAMES[name])
    return "it might " + " and ".join(f"{words} ({', '.join(by)})" for words, by in lost.items()) if lost else ""


def _better(comparison: Comparison) -> str:
    """What became better, in words and two figures."""
    said = []
    for name, words in (("pixel_ap", "marks defects"), ("image_auroc", "tells images apart")):
        before, after = comparison.active[name], comparison.candidate[name]
        if before is None or after is None:
            continue
        if after > before + 0.005:
            said.append(f"{words} better than before ({_NAMES[name]} {before:.2f} → {after:.2f})")
    return " and ".join(said) if said else "as good as before on all corrections, old and new"
