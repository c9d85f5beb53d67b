"""Reads the JavaScript, HTML and CSS that lie beside the components, and joins them for `gr.HTML`."""

from pathlib import Path

_FOLDER = Path(__file__).parent
_SHARED = ("shared/texts.js", "shared/net.js", "shared/bus.js", "shared/dom.js")


def read(name: str) -> str:
    """The text of one file below `webapp/ui`."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def script(*names: str) -> str:
    """What `js_on_load` takes: the shared helpers, then these files, in this order, as one function's body."""
    return '"use strict";\n' + "\n".join(read(name) for name in (*_SHARED, *names))


def template(name: str) -> str:
    """What `html_template` takes: static HTML, in which nothing may look like a placeholder.

    Raises:
        ValueError: the file holds a character sequence that Gradio would evaluate.
    """
    html = read(name)
    for sequence in ("${", "{{", "`", "\\"):
        if sequence in html:
            raise ValueError(f"{name} holds {sequence!r}, which Gradio would evaluate as a template.")
    return html


def stylesheet() -> str:
    """All CSS of the page: the design tokens, then every component's own, made stronger than Gradio's resets."""
    names = ["shared/controls.css"]
    names += sorted(str(path.relative_to(_FOLDER)) for path in _FOLDER.glob("*/*.css") if path.parent.name != "shared")
    own = "\n".join(read(name) for name in names)
    return f"{read('shared/tokens.css')}\n{read('shared/gradio.css')}\n.gradio-container.gradio-container {{\n{own}\n}}"
