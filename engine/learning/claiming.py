"""What a run promises of a candidate: how much better it will be on images that nobody has corrected."""

from dataclasses import replace

from engine.learning.comparison import Comparison

_NAME = "image_auroc"
# How large a change of image AUROC may be taken to be, as a standard deviation: with it promises were too large by 0.01
# on average, over 28 versions of eight sets.
_USUAL_CHANGE = 0.25
_DEVIATIONS = 1.96  # of the mean to either end of a 95 % interval


def expected(comparison: Comparison) -> Comparison:
    """The comparison with the change of image AUROC that is to be expected, in place of the one that was found.

    Each correction counts once in image AUROC, so it is far less certain than what is counted in pixels, and the
    candidate, its parts and whether it is served are chosen by it: of several noisy figures the best one flatters. So
    it is brought nearer to 0, the more the less certain it is: the mean of a normal distribution of true changes, known
    before, given one measurement (James and Stein, 1961; Efron and Morris, 1973). A change that was found with as
    large an error as changes may be counts half.
    """
    found, interval, before = comparison.difference[_NAME], comparison.interval[_NAME], comparison.active[_NAME]
    if found is None or interval is None or before is None:
        return comparison
    variance = ((interval[1] - interval[0]) / (2 * _DEVIATIONS)) ** 2
    counts = _USUAL_CHANGE**2 / (_USUAL_CHANGE**2 + variance)
    change, reach = counts * found, _DEVIATIONS * (counts * variance) ** 0.5
    return replace(
        comparison,
        candidate={**comparison.candidate, _NAME: before + change},
        difference={**comparison.difference, _NAME: change},
        interval={**comparison.interval, _NAME: (change - reach, change + reach)},
    )
