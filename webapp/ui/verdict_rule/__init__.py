"""What a trial of a verdict rule found, as the page shows it: figures, and some of the images that change."""

from html import escape

from webapp.texts import Texts
from workers.thresholds.rule_trial import ChangedImage, RuleTrial

_FIGURES = ("anomalous", "normal", "unjudged", "false_alarms", "misses")


def trial_html(say: Texts, trial: RuleTrial) -> str:
    """The trial as HTML: two sentences, a table of before and after, and thumbnails that lead to Inspect."""
    words = say("trial.changes", count=trial.images, to_anomalous=trial.to_anomalous, to_normal=trial.to_normal)
    labelled = say("trial.labelled", normal=trial.labelled_normal, anomalous=trial.labelled_anomalous)
    lost = f'<p class="al-error-text">{say("trial.unreadable", count=trial.unreadable)}</p>' if trial.unreadable else ""
    images = "".join(_image(say, one) for one in trial.changed)
    return (
        f'<div data-testid="rule-trial"><p class="al-rule">{words}</p><p class="al-muted">{labelled}</p>{lost}'
        f'{_table(say, trial)}<ul class="al-trial-images">{images}</ul></div>'
    )


def _table(say: Texts, trial: RuleTrial) -> str:
    rows = "".join(
        f'<tr><th scope="row">{say(f"trial.{name}")}</th><td>{getattr(trial.before, name)}</td>'
        f"<td><b>{getattr(trial.after, name)}</b></td></tr>"
        for name in _FIGURES
    )
    return (
        f'<table class="al-table"><thead><tr><th scope="col">{say("trial.images")}</th>'
        f'<th scope="col">{say("trial.before")}</th><th scope="col">{say("trial.after")}</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _image(say: Texts, one: ChangedImage) -> str:
    before, after = (say(f"verdict.{verdict or 'unjudged'}") for verdict in (one.before, one.after))
    name, words = escape(one.file_name), escape(say("trial.change", before=before, after=after))
    return (
        f'<li><button type="button" class="al-link" data-open-image="{one.image_id}" title="{name}">'
        f'<img src="/api/v1/images/{one.image_id}/thumbnail" alt="{name}" loading="lazy"></button>'
        f"<span>{words}</span>{_label(say, one.label)}</li>"
    )


def _label(say: Texts, label: str | None) -> str:
    """What people call the image, as a badge; empty: nobody said."""
    return "" if label is None else f'<span class="al-badge al-badge-{label}">✓ {say(f"verdict.{label}")}</span>'
