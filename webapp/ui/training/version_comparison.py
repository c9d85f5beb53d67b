"""Two versions beside each other: their metrics, and the images where their maps differ most."""

from base64 import b64encode
from html import escape

from webapp.texts import Texts
from webapp.ui.training.metrics_table import figures_table
from workers.training.comparing import Difference, VersionComparison


def version_comparison(say: Texts, found: VersionComparison) -> str:
    """The comparison as HTML."""
    first, second = f"v{found.first}", f"v{found.second}"
    kind = "comparison.learnt" if found.learnt else "comparison.unseen"
    words = say(kind, count=found.images, first=first, second=second)
    warning = f'<p class="al-decision">{say("comparison.flatters")}</p>' if found.learnt else ""
    rows = "".join(_image(say, one, first, second) for one in found.most_different)
    table = figures_table(say, found.metrics, words, (first, second))
    return (
        f'<div class="al-run" data-testid="comparison">{table}{warning}'
        f'<h3>{say("comparison.differences")}</h3><ul class="al-differences">{rows}</ul></div>'
    )


def comparison_progress(say: Texts, done: int, total: int) -> str:
    """A bar, as HTML."""
    share = round(100 * done / total)
    return (
        f'<div class="al-bar al-bar-large" role="progressbar" aria-label="{say("comparison.progress")}" '
        f'aria-valuemin="0" aria-valuemax="100" aria-valuenow="{share}" style="--share:{share}%"><i></i></div>'
        f'<p class="al-muted">{say("progress", done=done, count=total)}</p>'
    )


def _image(say: Texts, one: Difference, first: str, second: str) -> str:
    name, picture = escape(one.file_name), b64encode(one.picture).decode()
    label = say(f"verdict.{one.label}")
    better = one.scores[1] > one.scores[0] if one.label == "anomalous" else one.scores[1] < one.scores[0]
    figures = [_figure(say, "score", better, one.scores)]
    if one.average_precision:
        before, after = one.average_precision
        figures.append(_figure(say, "pixel_ap", after > before, one.average_precision))
    return (
        f'<li data-testid="difference"><div class="al-difference-head"><button type="button" class="al-link" '
        f'data-open-image="{one.image_id}">{name}</button><span class="al-badge al-badge-{one.label}">{label}'
        f'</span>{"".join(figures)}</div><img src="data:image/jpeg;base64,{picture}" loading="lazy" '
        f'alt="{say("comparison.alt", name=name, first=first, second=second)}">'
        f'<div class="al-difference-names" aria-hidden="true"><span>{say("comparison.image")}</span>'
        f"<span>{say('comparison.map', version=first)}</span><span>{say('comparison.map', version=second)}</span></div>"
        "</li>"
    )


def _figure(say: Texts, name: str, better: bool, values: tuple[float, float]) -> str:
    before, after = (f"{value:.2f}" for value in values)
    same = before == after
    words = say(f"comparison.{name}", before=before, after=after)
    word = "" if same else say("comparison.better" if better else "comparison.worse")
    trend = "" if same else "al-better" if better else "al-worse"
    return f'<span class="al-muted {trend}">{words} {word}</span>'
