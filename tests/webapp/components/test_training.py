from datetime import UTC, datetime, timedelta

from db.models import PromptVersion, TuningRun
from webapp.components.training.loss_chart import loss_chart
from webapp.components.training.metrics_table import metrics_table
from webapp.components.training.run_panel import run_panel
from webapp.components.training.text import duration
from webapp.components.training.versions_table import versions_table

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
    html = run_panel(make_run(), NOW)
    for words in ("Run 7", "Tuning", "tuning, epoch 3 of 30", "42 %", "1 min 10 s", "3 corrections", "1 held out"):
        assert words in html


def test_a_finished_run_shows_its_decision_and_a_failed_one_its_reason() -> None:
    assert "Refused: worse." in run_panel(make_run(state="succeeded", decision="Refused: worse."), NOW)
    assert "The disk is full." in run_panel(make_run(state="failed", error="The disk is full."), NOW)


def test_a_cancelled_run_that_has_not_stopped_yet_says_so() -> None:
    assert "Cancelling…" in run_panel(make_run(cancel_requested=True), NOW)


def test_words_from_elsewhere_can_not_become_html() -> None:
    assert "<script>" not in run_panel(make_run(stage="<script>"), NOW)
    version = PromptVersion(id=1, number=1, state="candidate", origin="imported", note="<script>", created_at=NOW)
    assert "<script>" not in versions_table([version])


def test_without_a_run_the_panel_says_what_to_do_first() -> None:
    assert "Correct an image in Inspect" in run_panel(None, NOW)


def test_the_chart_draws_a_line_a_fold_and_the_final_pass_strongest() -> None:
    losses = [{"fold": fold, "epoch": epoch, "total": 2 / epoch} for fold in (0, 1, -1) for epoch in (1, 2, 3)]
    svg = loss_chart(losses)
    assert svg.count("<polyline") == 3
    assert svg.count('class="al-line-strong"') == 1
    assert svg.rindex('class="al-line-strong"') > svg.rindex('class="al-line"')


def test_one_epoch_is_no_curve() -> None:
    assert loss_chart([{"fold": 0, "epoch": 1, "total": 1.0}]) == ""


def test_the_table_says_what_could_not_be_measured() -> None:
    html = metrics_table(METRICS)
    for words in ("Pixel AUROC", "0.800", "0.850", "+0.050", "−0.010 … +0.110", "4-fold"):
        assert words in html
    assert html.count("–") == 4
    assert metrics_table({"method": "unjudged"}) == ""


def test_every_version_but_the_active_one_can_be_activated() -> None:
    states = ("candidate", "active", "retired", "rejected")
    versions = [
        PromptVersion(id=10 + n, number=n, state=state, origin="tuned", note="", created_at=NOW)
        for n, state in enumerate(states, start=1)
    ]
    html = versions_table(versions)
    assert [f'data-activate="{10 + n}"' in html for n in (1, 2, 3, 4)] == [True, False, True, True]
    assert "Go back to it" in html


def test_durations_are_for_people() -> None:
    assert [duration(8.4), duration(200), duration(7500)] == ["8 s", "3 min 20 s", "2 h 5 min"]
