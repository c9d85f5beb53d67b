"""When a candidate goes into service."""

import pytest

from engine.comparison import Comparison
from workers.deciding import decide


def comparison(*, mean_risk: float = 0.0, **metrics: tuple[float, float, float, float]) -> Comparison:
    """Metric → difference, low, high, risk; the active value is 0.8, what isn't named is undefined."""
    names = ("pixel_auroc", "pixel_ap", "pixel_aupro", "within_auroc", "within_ap", "image_auroc")
    return Comparison(
        candidate={name: 0.8 + metrics[name][0] if name in metrics else None for name in names},
        active={name: 0.8 if name in metrics else None for name in names},
        difference={name: metrics[name][0] if name in metrics else None for name in names},
        interval={name: metrics[name][1:3] if name in metrics else None for name in names},
        risk={name: metrics[name][3] if name in metrics else None for name in ("pixel_auroc", "pixel_ap")},
        gain=sum(values[0] for values in metrics.values()) / len(metrics),
        gain_risk=mean_risk,
    )


CLEAR = (0.02, 0.01, 0.03, 0.0)


@pytest.mark.parametrize(
    ("found", "promote"),
    [
        (comparison(pixel_auroc=CLEAR), True),
        (comparison(pixel_auroc=CLEAR, mean_risk=0.14), True),
        (comparison(pixel_auroc=CLEAR, mean_risk=0.16), False),
        (comparison(pixel_auroc=(0.02, -0.05, 0.09, 0.30)), True),  # on few images luck swings one metric
        (comparison(pixel_auroc=(0.02, -0.09, 0.09, 0.40)), False),
        (comparison(pixel_auroc=(-0.001, -0.002, 0.001, 0.0)), False),
        (comparison(pixel_auroc=CLEAR, pixel_ap=(-0.01, -0.06, 0.02, 0.35)), False),
        (comparison(pixel_auroc=CLEAR, image_auroc=(-0.01, -0.2, 0.2, 0.0)), True),  # luck of few pairs
        (comparison(pixel_auroc=(0.7, 0.55, 0.8, 0.0), image_auroc=(-0.4, -0.6, -0.1, 0.0)), False),  # surely worse
    ],
)
def test_better_on_average_and_no_loss_likely(found, promote):
    assert decide(found, "4-fold").promote is promote


def test_the_sentence_has_the_figures():
    sentence = decide(comparison(pixel_auroc=CLEAR), "hold-out").sentence
    assert sentence.startswith("Put in service")
    assert "pixel AUROC 0.800 → 0.820, 95 % interval of the difference +0.010 … +0.030; hold-out" in sentence


def test_a_refusal_names_what_might_be_worse():
    sentence = decide(comparison(pixel_auroc=(0.1, -0.09, 0.11, 0.5)), "4-fold").sentence
    assert sentence.startswith("Refused, the active prompts stay: pixel AUROC might be worse")
    sentence = decide(comparison(pixel_auroc=CLEAR, mean_risk=0.2), "4-fold").sentence
    assert "they might be worse on average (by luck of the images, 20%)" in sentence


def test_with_nothing_to_judge_on_it_is_left_to_a_person():
    decision = decide(None, "unjudged")
    assert decision.promote is None
    assert "activate them by hand" in decision.sentence
