import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from db.images.annotations import LabelCounts, Waiting, count_labels
from db.tables.core import PromptVersion, TuningRun
from tests.conftest import Installation
from tests.workers.making import add, correct
from webapp.texts import Texts
from webapp.ui.training.loss_chart import loss_chart
from webapp.ui.training.metric_chart import metric_chart
from webapp.ui.training.metrics_table import metrics_table
from webapp.ui.training.next_step import Queue, next_step, next_words
from webapp.ui.training.run_figures import operating_point, run_figures
from webapp.ui.training.run_history import run_history
from webapp.ui.training.run_panel import run_panel
from webapp.ui.training.schedule import rule_words, what_is_missing
from webapp.ui.training.text import duration
from webapp.ui.training.version_comparison import version_comparison
from webapp.ui.training.versions_table import versions_table
from workers.images.correcting import mark_anomalous, mark_normal
from workers.scoring.scorer import score_unscored
from workers.training.comparing import Difference, VersionComparison

SAY = Texts("en")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
METRICS = {
    "method": "4-fold",
    "active": {"pixel_auroc": 0.8, "image_auroc": None},
    "candidate": {"pixel_auroc": 0.85, "image_auroc": None},
    "difference": {"pixel_auroc": 0.05, "image_auroc": None},
    "interval": {"pixel_auroc": [-0.01, 0.11], "image_auroc": None},
}


def make_run(**values: object) -> TuningRun:
    defaults: dict[str, object] = {
        "id": 7,
        "state": "running",
        "progress": 0.42,
        "stage": "tuning, epoch 3 of 30",
        "decision": "",
        "error": "",
        "losses": [],
        "metrics": {},
        "training_annotation_ids": [1, 2, 3],
        "holdout_annotation_ids": [4],
        "attempt": 1,
        "cancel_requested": False,
        "created_at": NOW - timedelta(seconds=75),
        "started_at": NOW - timedelta(seconds=70),
        "finished_at": None,
    }
    return TuningRun(**(defaults | values))


def test_a_live_run_shows_stage_share_and_time() -> None:
    html = run_panel(SAY, make_run(), NOW)
    for words in ("Run 7", "Tuning", "tuning, epoch 3 of 30", "42 %", "1 min 10 s", "3 corrections", "1 held out"):
        assert words in html


def test_a_finished_run_shows_its_decision_and_a_failed_one_its_reason() -> None:
    assert "Refused: worse." in run_panel(SAY, make_run(state="succeeded", decision="Refused: worse."), NOW)
    assert "The disk is full." in run_panel(SAY, make_run(state="failed", error="The disk is full."), NOW)


def test_a_cancelled_run_that_has_not_stopped_yet_says_so() -> None:
    assert "Cancelling…" in run_panel(SAY, make_run(cancel_requested=True), NOW)


def test_words_from_elsewhere_can_not_become_html() -> None:
    assert "<script>" not in run_panel(SAY, make_run(stage="<script>"), NOW)
    version = PromptVersion(id=1, number=1, state="candidate", origin="imported", note="<script>", created_at=NOW)
    assert "<script>" not in versions_table(SAY, [version])


def test_without_a_run_the_panel_says_what_to_do_first() -> None:
    assert "Correct an image in Inspect" in run_panel(SAY, None, NOW)


def test_the_chart_draws_a_line_a_fold_and_the_final_pass_strongest() -> None:
    losses = [{"fold": fold, "epoch": epoch, "total": 2 / epoch} for fold in (0, 1, -1) for epoch in (1, 2, 3)]
    svg = loss_chart(SAY, losses)
    assert svg.count("<polyline") == 3
    assert svg.count('class="al-line-strong"') == 1
    assert svg.rindex('class="al-line-strong"') > svg.rindex('class="al-line"')


def test_one_epoch_is_no_curve() -> None:
    assert loss_chart(SAY, [{"fold": 0, "epoch": 1, "total": 1.0}]) == ""


def test_the_table_says_what_could_not_be_measured() -> None:
    html = metrics_table(SAY, METRICS)
    for words in ("Pixel AUROC", "0.800", "0.850", "+0.050", "−0.010 … +0.110", "4-fold"):
        assert words in html
    assert html.count("–") == 4
    assert metrics_table(SAY, {"method": "unjudged"}) == ""


def test_every_version_but_the_active_one_can_be_activated() -> None:
    states = ("candidate", "active", "retired", "rejected")
    versions = [
        PromptVersion(id=10 + n, number=n, state=state, origin="tuned", note="", created_at=NOW)
        for n, state in enumerate(states, start=1)
    ]
    html = versions_table(SAY, versions)
    assert [f'data-activate="{10 + n}"' in html for n in (1, 2, 3, 4)] == [True, False, True, True]
    assert "Go back to it" in html


def test_durations_are_for_people() -> None:
    assert [duration(SAY, 8.4), duration(SAY, 200), duration(SAY, 7500)] == ["8 s", "3 min 20 s", "2 h 5 min"]


def judged(run_id: int, value: float, version_id: int) -> TuningRun:
    metrics = {"candidate": {"pixel_auroc": value, "pixel_ap": value, "image_auroc": None}}
    return make_run(id=run_id, state="succeeded", metrics=metrics, candidate_version_id=version_id)


def test_metrics_run_after_run_are_lines_with_names_and_filled_points_where_put_in_service() -> None:
    svg = metric_chart(SAY, [judged(3, 0.9, 33), make_run(id=2, state="failed"), judged(1, 0.7, 11)], in_service={33})
    assert svg.count("<polyline") == 2 and svg.count("<circle") == 4
    assert svg.count('data-used="true"') == 2
    assert "Pixel AUROC 0.90 in the last run" in svg and "Image AUROC" not in svg
    places = [float(y) for y in re.findall(r'<text x="464" y="([\d.]+)"', svg)]
    assert places[1] - places[0] >= 13  # names never lie on each other


def test_one_judged_run_is_no_curve() -> None:
    assert metric_chart(SAY, [judged(1, 0.7, 11), make_run(id=2)], set()) == ""


def test_every_run_can_be_looked_at_and_the_shown_one_is_marked() -> None:
    runs = [make_run(id=8, trigger="manual"), make_run(id=7, trigger="schedule")]
    html = run_history(SAY, runs, NOW, shown=7)
    assert 'data-show-run="8"' in html and 'data-show-run="7"' in html
    assert html.index('aria-current="true"') > html.index('data-run-id="7"')


def test_two_versions_are_offered_to_compare_the_one_in_use_and_the_newest_other() -> None:
    versions = [
        PromptVersion(id=10 + n, number=n, state=state, origin="tuned", note="", created_at=NOW)
        for n, state in ((3, "rejected"), (2, "active"), (1, "retired"))
    ]
    html = versions_table(SAY, versions)
    assert '<option value="13" selected>v3, refused' in html and '<option value="12" selected>v2, in use' in html
    assert "compare-first" not in versions_table(SAY, versions[:1])


@pytest.mark.parametrize(
    ("waiting", "words"),
    [
        (Waiting(3, NOW - timedelta(hours=1)), "7 corrections more, or 23 h 0 min more, and one starts."),
        (Waiting(9, NOW), "1 correction more, or 24 h 0 min more, and one starts."),
        (Waiting(10, NOW), "That is so now"),
        (Waiting(1, NOW - timedelta(hours=25)), "That is so now"),
        (Waiting(0, None), ""),
    ],
)
def test_what_the_schedule_waits_for_is_said(waiting: Waiting, words: str) -> None:
    said = what_is_missing(SAY, True, 10, 24.0, waiting, NOW)
    assert said.startswith(words) and bool(said) == bool(words)
    assert what_is_missing(SAY, False, 10, 24.0, waiting, NOW) == ""


def test_the_rule_is_said_in_plain_words() -> None:
    assert rule_words(SAY, True, 1, 2.5) == (
        "A run starts by itself after each new correction, or when the oldest of them has waited 2.5 hours."
    )
    assert rule_words(SAY, False, 1, 2.5) == "Runs start only when someone presses Retrain."
    assert "more than zero" in rule_words(SAY, True, None, 2.5)


def test_a_comparison_says_when_its_figures_flatter() -> None:
    difference = Difference(5, "<a>.png", "normal", 0.2, (0.5, 0.3), None, b"jpeg")
    fair = VersionComparison(1, 2, 7, False, METRICS, [difference])
    html = version_comparison(SAY, fair)
    assert "v2 against v1, on 7 corrected images that neither learnt from" in html
    assert "score 0.50 → 0.30 (better)" in html and "&lt;a&gt;.png" in html and 'data-open-image="5"' in html
    assert "looks better on them than it is" in version_comparison(SAY, replace(fair, learnt=True))


OFFERS = {
    "parts": ["prompts", "refiner", "image head"],
    "offers": [
        {"name": "active", "metrics": {"pixel_auroc": 0.8, "pixel_ap": 0.21, "image_auroc": None}, "gain": None},
        {
            "name": "heads",
            "metrics": {"pixel_auroc": 0.81, "pixel_ap": 0.2, "image_auroc": None},
            "gain": -0.004,
            "problem": "it might mark defects less well (pixel AP)",
        },
        {"name": "refiner", "metrics": {"pixel_auroc": 0.9, "pixel_ap": 0.56}, "gain": 0.2, "problem": ""},
    ],
    "operating_point": {"threshold": 0.5, "recall": [0.24, 0.92], "false_alarms": [0.05, 0.05]},
}


def test_a_run_says_its_sentence_first_and_folds_its_figures_below() -> None:
    run = make_run(state="succeeded", decision="Put in service: better.", metrics=METRICS | OFFERS)
    html = run_panel(SAY, run, NOW, "<p>Next: paint.</p>")
    places = [html.index(words) for words in ("Put in service: better.", "Next: paint.", "<details", "0.560")]
    assert places == sorted(places) and " open" not in html[html.index("<details") : html.index("<summary")]
    for words in (
        "prompts, refiner, image head",
        "At the threshold 0.50",
        "finds 24 % → 92 %",
        "5 % → 5 %",
        'data-offer="active"',
        "−0.004",
        "+0.200",
        "Not used: it might mark defects less well (pixel AP).",
        "+0.050",
    ):
        assert words in html, words


def test_runs_of_before_there_were_offers_show_what_they_have() -> None:
    html = run_figures(SAY, make_run(state="succeeded", metrics=METRICS))
    assert "metrics-table" in html and "offers" not in html and "operating-point" not in html
    assert run_figures(SAY, make_run(state="succeeded")) == ""
    nobody = {"operating_point": {"threshold": 0.5, "recall": None, "false_alarms": [0.1, 0.0]}}
    assert "finds" not in run_figures(SAY, make_run(metrics=nobody)) and "10 % → 0 %" in operating_point(SAY, nobody)


def test_what_a_run_offers_is_said_in_korean_too() -> None:
    html = run_figures(Texts("ko"), make_run(metrics=OFFERS))
    assert "쓰지 않음: 결함 표시가 나빠질 수 있음 (픽셀 AP)." in html and "might" not in html


def test_a_version_tells_its_parts_and_older_ones_are_prompts_alone() -> None:
    versions = [
        PromptVersion(id=2, number=2, state="active", origin="tuned", note="", created_at=NOW, metrics=OFFERS),
        PromptVersion(id=1, number=1, state="retired", origin="shipped", note="", created_at=NOW, metrics={}),
    ]
    html = versions_table(SAY, versions)
    assert "Parts: prompts, refiner, image head<" in html and "Parts: prompts<" in html


UNLIKE = Queue(Counter({"unlike_corrected": 12, "map_unsure": 8}), "b.png")


@pytest.mark.parametrize(
    ("labels", "queue", "words"),
    [
        ((0, 0, 0), UNLIKE, "correct some images"),
        ((3, 0, 4), UNLIKE, "Without a mask"),
        ((3, 1, 0), UNLIKE, "a second image"),
        ((3, 3, 0), UNLIKE, "There are 3 so far"),
        ((9, 6, 7), UNLIKE, "the 7 images that are only called anomalous"),
        ((0, 6, 0), UNLIKE, "call some images normal"),
        ((1, 6, 0), UNLIKE, "There is 1 so far"),
        ((9, 9, 0), UNLIKE, "unlike those corrected so far, such as b.png (12 of the next 20)"),
        ((9, 9, 0), Queue(Counter({"map_unsure": 2}), "c.png"), "unsure of itself, such as c.png (2 of the next 2)"),
        ((9, 9, 0), Queue(Counter()), "All images are corrected"),
    ],
)
def test_what_to_correct_next_is_said_in_a_sentence(labels: tuple[int, int, int], queue: Queue, words: str) -> None:
    assert words in next_words(SAY, LabelCounts(*labels), queue)


def test_the_sentence_is_made_from_what_is_corrected_and_what_waits(installation: Installation) -> None:
    correct(installation, 6)
    correct(installation, 5, normal=True, first_seed=6)
    mark_anomalous(installation.store, add(installation, seed=20))
    waits = add(installation, seed=21)
    score_unscored(installation.store, installation.project_id, limit=100)
    with installation.store.session(read_only=True) as session:
        assert count_labels(session, installation.project_id) == LabelCounts(5, 6, 1)
        html = next_step(SAY, session, installation.project_id)
    assert "21.png" in html and "data-open-queue" in html
    mark_normal(installation.store, waits)
    with installation.store.session(read_only=True) as session:
        html = next_step(SAY, session, installation.project_id)
    assert "All images are corrected" in html and "data-open-queue" not in html
