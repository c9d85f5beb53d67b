"""How the page looks: Gradio's theme mapped onto our design tokens, and all CSS and texts in the page's head."""

import inspect
import json
from typing import Any

import gradio as gr

from webapp.texts import all_texts
from webapp.ui.assets import module_links, stylesheet

# Fonts that the system has: the page asks no other server for anything.
_SANS = [
    "ui-sans-serif",
    "system-ui",
    "Segoe UI",
    "Roboto",
    "Helvetica Neue",
    "Noto Sans",
    "Malgun Gothic",
    "Apple SD Gothic Neo",
    "Noto Sans KR",
    "Noto Sans CJK KR",
    "sans-serif",
]
_MONO = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace"]

# Gradio's variable → ours (shared/tokens.css), the same in light and dark because ours change.
_VARIABLES = {
    "body_background_fill": "var(--al-ground)",
    "body_text_color": "var(--al-ink)",
    "body_text_color_subdued": "var(--al-muted)",
    "background_fill_primary": "var(--al-surface)",
    "background_fill_secondary": "var(--al-ground)",
    "border_color_primary": "var(--al-line)",
    "border_color_accent": "var(--al-accent)",
    "block_background_fill": "var(--al-surface)",
    "block_border_color": "var(--al-line)",
    "block_label_text_color": "var(--al-muted)",
    "block_title_text_color": "var(--al-ink)",
    "block_info_text_color": "var(--al-muted)",
    "color_accent": "var(--al-accent)",
    "color_accent_soft": "var(--al-accent-soft)",
    "input_background_fill": "var(--al-field)",
    "input_border_color": "var(--al-line-strong)",
    "input_border_color_focus": "var(--al-accent)",
    "checkbox_background_color": "var(--al-field)",
    "checkbox_background_color_selected": "var(--al-accent)",
    "checkbox_border_color": "var(--al-line-strong)",
    "checkbox_label_background_fill": "transparent",
    "checkbox_label_text_color": "var(--al-ink)",
    "slider_color": "var(--al-accent)",
    "button_primary_background_fill": "var(--al-accent)",
    "button_primary_background_fill_hover": "var(--al-accent-strong)",
    "button_primary_text_color": "var(--al-on-accent)",
    "button_primary_border_color": "transparent",
    "button_secondary_background_fill": "var(--al-raised)",
    "button_secondary_background_fill_hover": "var(--al-hover)",
    "button_secondary_text_color": "var(--al-ink)",
    "button_secondary_border_color": "var(--al-line-strong)",
    "link_text_color": "var(--al-accent-strong)",
}


def page_look() -> dict[str, Any]:
    """What `gr.mount_gradio_app` and `Blocks.launch` take to show the page as it is meant: `theme` and `head`.

    The CSS goes into the head as it is: Gradio would rewrite the selectors of its `css` argument.
    """
    texts = json.dumps(all_texts(), ensure_ascii=False).replace("<", "\\u003c")
    theme = gr.themes.Base(font=_SANS, font_mono=_MONO, radius_size=gr.themes.sizes.radius_sm)
    return {
        "theme": theme.set(**_both_modes()),
        "head": f"<style>{stylesheet()}</style><script>window.anomalyloopTexts = {texts}</script>{module_links()}",
    }


def _both_modes() -> dict[str, str]:
    known = inspect.signature(gr.themes.Base.set).parameters
    dark = {f"{name}_dark": value for name, value in _VARIABLES.items()}
    return _VARIABLES | {name: value for name, value in dark.items() if name in known}
