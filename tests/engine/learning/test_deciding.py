"""Whether a candidate goes into service."""

import numpy as np
import pytest

from engine.learning.comparison import compare, held_out
from engine.learning.deciding import FEWEST_IMAGES, Decision, choose, hold_to_golden, left_to_second_person

SIDE = 24


def seen(quality, seed, *, images=20, masks=True, scores_too=True):
    """What a detector of some quality says of images, half of them with a square: the truth, and noise of its own."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(images):
        marked = np.zeros((SIDE, SIDE), np.float32)
        if number % 2:
            marked[4:9, 6:12] = 1
        logits = quality * marked + random.normal(0, 1, marked.shape)
        score = quality * (number % 2) * scores_too + random.normal(0, 1)
        known = marked if masks or not number % 2 else None
        found.append(held_out(sigmoid(score), sigmoid(logits).astype(np.float32), known, number % 2))
    return found


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def decided(candidate, active, *, name="refiner", refit=(), seed=0):
    corrections = len(active)
    comparison = compare(candidate, active, seed=seed)
    return choose({name: comparison}, corrections=corrections, fewest=corrections // 2, refit=refit)


def test_what_is_better_goes_into_service_and_says_what_became_better():
    decision, offers = decided(seen(2.5, 1), seen(1.0, 0))
    assert decision.promote is True and decision.chosen == "refiner"
    assert "marks defects better than before (pixel AP 0." in decision.sentence
    assert [one.name for one in offers] == ["active", "refiner"]
    assert offers[1].problem == "" and offers[1].gain > 0


def test_what_is_worse_is_refused_and_says_why():
    decision, offers = decided(seen(1.0, 1), seen(2.5, 0))
    assert decision.promote is False and decision.sentence.startswith("Refused, what is in service stays: ")
    assert offers[1].problem and offers[1].gain < 0


def test_the_same_is_nothing_better():
    active = seen(1.5, 0)
    decision, _ = decided(active, active)
    assert decision.promote is False and "nothing that was learnt is better yet" in decision.sentence


@pytest.mark.parametrize("images", [20, 40])
def test_candidates_that_differ_by_luck_alone_are_mostly_refused(images):
    """`benchmarks.null_candidates` measures how many on real images; a coin would let half of them pass."""
    draws = 20
    passed = sum(
        decided(seen(1.5, 2 * n, images=images), seen(1.5, 2 * n + 1, images=images), seed=n)[0].promote is True
        for n in range(draws)
    )
    assert passed <= draws / 4


def test_better_maps_at_the_price_of_much_worse_images_are_refused():
    """Four of five metrics rise; nobody wants what calls the wrong images anomalous."""
    candidate, active = seen(1.8, 1, scores_too=False), seen(1.5, 0)
    assert decided(candidate, active)[0].promote is False


def test_more_corrections_of_the_same_kind_need_no_proof_that_they_help():
    active = seen(1.5, 0)
    decision, _ = decided(active, active, refit=("refiner",))
    assert decision.promote is True and "as good as before on all corrections" in decision.sentence


def test_more_corrections_of_the_same_kind_are_refused_where_they_make_it_worse():
    decision, _ = decided(seen(0.8, 1), seen(2.0, 0), refit=("refiner",))
    assert decision.promote is False and "with the new corrections it might be worse than before" in decision.sentence


def test_of_several_that_are_better_the_best_is_chosen():
    active = seen(1.0, 0)
    offered = {"heads": compare(seen(1.5, 1), active, seed=0), "refiner": compare(seen(2.5, 2), active, seed=0)}
    decision, offers = choose(offered, corrections=20, fewest=10)
    assert decision.chosen == "refiner" and [one.name for one in offers] == ["active", "heads", "refiner"]


def test_one_that_can_not_go_into_service_does_not_hold_up_another():
    active = seen(1.5, 0)
    offered = {"heads": compare(seen(0.5, 1), active, seed=0), "refiner": compare(seen(3.0, 2), active, seed=0)}
    decision, offers = choose(offered, corrections=20, fewest=10)
    assert decision.promote is True and decision.chosen == "refiner"
    assert offers[1].problem and not offers[2].problem


def test_without_masks_few_images_decide_nothing():
    few, enough = FEWEST_IMAGES - 1, FEWEST_IMAGES
    for count, promoted in ((few, False), (3 * enough, True)):
        candidate = seen(6.0, 1, images=2 * count, masks=False)
        comparison = compare(candidate, seen(0.0, 0, images=2 * count, masks=False), seed=0)
        decision, _ = choose({"image head": comparison}, corrections=2 * count, fewest=count)
        assert decision.promote is promoted, decision.sentence
    assert "fewer than" not in decision.sentence


def test_with_nothing_to_judge_on_it_waits_for_a_person():
    normal = [held_out(0.2, np.full((4, 4), 0.1, np.float32), np.zeros((4, 4)), 0) for _ in range(3)]
    assert choose({}, corrections=3, fewest=0)[0].promote is None
    decision, offers = choose({"refiner": compare(normal, normal, seed=0)}, corrections=3, fewest=0)
    assert decision.promote is None and offers == [] and "at least two anomalous images" in decision.sentence


def test_a_golden_image_that_is_judged_worse_keeps_a_candidate_out_of_service():
    better, unjudged = Decision(True, "Put in service: better.", "heads"), Decision(None, "Too few.")
    for decision in (better, unjudged):
        held = hold_to_golden(decision, ["a.png"], 3)
        assert held.promote is False and "judges the golden image a.png wrong" in held.sentence
    assert "2 golden images wrong" in hold_to_golden(better, ["a.png", "b.png"], 3).sentence
    assert hold_to_golden(better, [], 0) == better
    passed = hold_to_golden(better, [], 3)
    assert passed.promote and passed.sentence.endswith("Golden images: 3, none of them judged worse than before.")
    refused = Decision(False, "Refused, what is in service stays: it might be worse.")
    assert hold_to_golden(refused, ["a.png"], 3) == refused


def test_what_would_go_into_service_waits_for_a_second_person_and_what_is_refused_does_not():
    waits = left_to_second_person(Decision(True, "Put in service: better.", "heads"))
    assert (waits.promote, waits.sentence, waits.chosen) == (None, "Waits for a second person: better.", "heads")
    refused = Decision(False, "Refused, what is in service stays: it might be worse.")
    assert left_to_second_person(refused) == refused
