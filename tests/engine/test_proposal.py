"""From corrections to a judged candidate; cut off and resumed, the same one."""

import pytest
import torch

from engine.holdout import Fold, judging_folds
from engine.prompts import default_prompts
from engine.proposal import propose
from engine.tuning import TuningConfig
from tests.engine.conftest import separable_examples

FAST = TuningConfig(learning_rate=1e-2, batch_size=4)


def keys(count: int) -> list[str]:
    return [f"image {number}" for number in range(count)]


class Stop(Exception):
    pass


def run(engine, examples, folds, *, stop_after=None, checkpoint=None):
    """A proposal; `stop_after` reports raises, as a worker that is killed, and gives back the last checkpoint."""
    reports = []

    def report(progress):
        reports.append(progress)
        if stop_after and len(reports) == stop_after:
            raise Stop(progress.checkpoint())

    proposal = propose(
        engine, default_prompts(engine.backbone), examples, folds, FAST, epochs=6, report=report, checkpoint=checkpoint
    )
    return proposal, reports


def test_a_gain_shows_on_images_that_were_held_out(engine):
    examples = separable_examples(engine, 8, anomalous=5)
    folds = judging_folds(keys(8), [example.label for example in examples])
    proposal, reports = run(engine, examples, folds)
    assert proposal.method == "4-fold"
    assert proposal.comparison.difference["pixel_auroc"] > 0.05
    shares = [report.share for report in reports]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    assert any(report.judging for report in reports)


def test_one_fold_gives_the_prompts_of_the_length_that_was_chosen(engine):
    examples = separable_examples(engine, 8, anomalous=5)
    fold = Fold(training=(0, 1, 2, 5, 6), held_out=(3, 4, 7))
    proposal, _ = run(engine, examples, [fold])
    assert proposal.method == "hold-out"
    assert f"5 corrected images for {proposal.epochs} epochs" in proposal.prompts.note


def test_without_folds_the_candidate_is_unjudged(engine):
    proposal, _ = run(engine, separable_examples(engine, 1, anomalous=1), [])
    assert (proposal.method, proposal.comparison) == ("unjudged", None)


@pytest.mark.parametrize("stop_after", [4, 6, 13, 25, 26])
def test_cut_off_anywhere_and_resumed_it_is_the_same_proposal(engine, stop_after):
    examples = separable_examples(engine, 6, anomalous=4)
    folds = judging_folds(keys(6), [example.label for example in examples])
    unbroken, _ = run(engine, examples, folds)
    with pytest.raises(Stop) as stop:
        run(engine, examples, folds, stop_after=stop_after)
    resumed, _ = run(engine, examples, folds, checkpoint=stop.value.args[0])
    assert resumed.epochs == unbroken.epochs
    torch.testing.assert_close(resumed.prompts.deep_tokens, unbroken.prompts.deep_tokens, rtol=0, atol=1e-6)
    assert resumed.comparison.difference == pytest.approx(unbroken.comparison.difference, abs=1e-3)
    assert len(resumed.losses) == len(unbroken.losses)
