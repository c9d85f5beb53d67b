"""Two versions beside each other: their metrics, and the images where their maps differ most."""

from base64 import b64encode
from html import escape

from webapp.components.training.metrics_table import figures_table
from webapp.components.training.text import counted
from workers.comparing import Difference, VersionComparison


def version_comparison(found: VersionComparison) -> str:
    """The comparison as HTML."""
    first, second = f"v{found.first}", f"v{found.second}"
    images = counted(found.images, "corrected image", "corrected images")
    words = f"{second} against {first}, on {images}"
    if not found.learnt:
        words += " that neither learnt from"
    warning = (
        '<p class="al-decision">A version has learnt from some of these images, and looks better on them than it is: '
        "too few others are corrected.</p>"
        if found.learnt
        else ""
    )
    rows = "".join(_image(one, first, second) for one in found.most_different)
    return (
        f'<div class="al-run" data-testid="comparison">{figures_table(found.metrics, words, (first, second))}{warning}'
        f'<h3>Where they differ most</h3><ul class="al-differences">{rows}</ul></div>'
    )


def comparison_progress(done: int, total: int) -> str:
    """A bar, as HTML."""
    share = round(100 * done / total)
    return (
        '<div class="al-bar al-bar-large" role="progressbar" aria-label="Comparing" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{share}" style="--share:{share}%"><i></i></div>'
        f'<p class="al-muted">{done} of {total} images</p>'
    )


def _image(one: Difference, first: str, second: str) -> str:
    name, picture = escape(one.file_name), b64encode(one.picture).decode()
    score_figure = f"score {one.scores[0]:.2f} → {one.scores[1]:.2f}"
    better = one.scores[1] > one.scores[0] if one.label == "anomalous" else one.scores[1] < one.scores[0]
    figures = [_figure(score_figure, better, one.scores)]
    if one.average_precision:
        before, after = one.average_precision
        figures.append(_figure(f"pixel AP {before:.2f} → {after:.2f}", after > before, one.average_precision))
    return (
        f'<li data-testid="difference"><div class="al-difference-head"><button type="button" class="al-link" '
        f'data-open-image="{one.image_id}">{name}</button><span class="al-badge al-badge-{one.label}">{one.label}'
        f'</span>{"".join(figures)}</div><img src="data:image/jpeg;base64,{picture}" loading="lazy" '
        f'alt="{name}: the image with its mask outlined, the map of {first}, the map of {second}">'
        f'<div class="al-difference-names" aria-hidden="true"><span>image, mask outlined</span><span>map of {first}'
        f"</span><span>map of {second}</span></div></li>"
    )


def _figure(words: str, better: bool, values: tuple[float, float]) -> str:
    same = f"{values[0]:.2f}" == f"{values[1]:.2f}"
    word = "" if same else " (better)" if better else " (worse)"
    trend = "" if same else "al-better" if better else "al-worse"
    return f'<span class="al-muted {trend}">{words}{word}</span>'
