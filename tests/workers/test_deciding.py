"""When a candidate goes into service."""

import pytest

from engine.comparison import Comparison
from workers.deciding import decide


def comparison(**metrics: tuple[float, float, float]) -> Comparison:
    """Metric → difference, low, high; the active value is 0.8, what isn't named is undefined."""
    names = ("pixel_auroc", "pixel_ap", "pixel_aupro", "image_auroc")
    means = [sum(values) / len(metrics) for values in zip(*metrics.values(), strict=True)]
    return Comparison(
        candidate={name: 0.8 + metrics[name][0] if name in metrics else None for name in names},
        active={name: 0.8 if name in metrics else None for name in names},
        difference={name: metrics[name][0] if name in metrics else None for name in names},
        interval={name: metrics[name][1:] if name in metrics else None for name in names},
        gain=means[0],
        gain_interval=(means[1], means[2]),
    )


@pytest.mark.parametrize(
    ("metrics", "promote"),
    [
        ({"pixel_auroc": (0.02, 0.01, 0.03)}, True),
        ({"pixel_auroc": (0.02, -0.005, 0.05)}, True),
        ({"pixel_auroc": (0.02, -0.05, 0.09)}, False),  # might be worse
        ({"pixel_auroc": (0.20, -0.06, 0.40)}, True),  # a large gain is worth its risk
        ({"pixel_auroc": (-0.001, -0.002, 0.001)}, False),
        ({"pixel_auroc": (0.02, 0.01, 0.03), "image_auroc": (-0.01, -0.2, 0.2)}, False),  # the mean is at risk
        ({"pixel_auroc": (0.02, 0.01, 0.03), "image_auroc": (-0.005, -0.02, 0.02)}, True),
        ({"pixel_auroc": (0.7, 0.55, 0.8), "image_auroc": (-0.13, -0.6, 0.4)}, True),  # luck of few pairs
        ({"pixel_auroc": (0.7, 0.55, 0.8), "image_auroc": (-0.4, -0.6, -0.1)}, False),  # surely worse
        ({"pixel_auroc": (0.01, 0.005, 0.02), "pixel_ap": (-0.03, -0.05, -0.01)}, False),
    ],
)
def test_better_on_average_and_none_at_risk(metrics, promote):
    assert decide(comparison(**metrics), "4-fold").promote is promote


def test_the_sentence_has_the_figures():
    sentence = decide(comparison(pixel_auroc=(0.02, 0.01, 0.03)), "hold-out").sentence
    assert sentence.startswith("Put in service")
    assert "pixel AUROC 0.800 → 0.820, 95 % interval of the difference +0.010 … +0.030; hold-out" in sentence


def test_a_refusal_names_what_might_be_worse():
    sentence = decide(comparison(pixel_auroc=(0.1, -0.09, 0.11)), "4-fold").sentence
    assert sentence.startswith("Refused, the active prompts stay: pixel AUROC might be worse")


def test_with_nothing_to_judge_on_it_is_left_to_a_person():
    decision = decide(None, "unjudged")
    assert decision.promote is None
    assert "activate them by hand" in decision.sentence
