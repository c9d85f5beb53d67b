"""What lies beside the components, for the browser: modules that it imports, HTML and CSS.

The modules import each other by relative paths, and are served below `/ui/VERSION/` (`webapp.page.modules`): the
version is a sum over all of them, so a browser keeps each for good and never mixes two versions.
"""

import hashlib
import json
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent
# The texts without the module that knows which were chosen: for when no module can be had.
_IN_VIEWERS_LANGUAGE = "(anomalyloopTexts[navigator.language.split('-')[0]] ?? anomalyloopTexts.en)"


def read(name: str) -> str:
    """The text of one file below `webapp/ui`."""
    return (_FOLDER / name).read_text(encoding="utf-8")


@cache
def modules() -> dict[str, bytes]:
    """All modules by their path below `webapp/ui`: what may be served, and nothing else."""
    paths = sorted(_FOLDER.glob("*/*.js"))
    return {path.relative_to(_FOLDER).as_posix(): path.read_bytes() for path in paths}


@cache
def version() -> str:
    """What all modules are told by together."""
    together = hashlib.sha256()
    for name, data in modules().items():
        together.update(f"{name} {len(data)}\n".encode() + data)
    return together.hexdigest()[:16]


def module_address(name: str) -> str:
    """Where the browser finds a module."""
    return f"/ui/{version()}/{name}"


def start(*names: str, events: tuple[str, ...] = ()) -> str:
    """What `js_on_load` takes: these modules' `mount`, each called with the component's element and Gradio's trigger.

    Args:
        names: of modules below `webapp/ui`, as in `filmstrip/filmstrip`.
        events: that they may trigger; Gradio takes none whose name isn't in this text.
    """
    return (
        "element.inert = true;"  # until its modules are there: a click on it would be lost
        f"import({json.dumps(module_address('shared/component.js'))}).then("
        f"({{ start }}) => start({json.dumps(names)}, element, trigger, {json.dumps(events)}),"
        f"() => {{ element.textContent = {_IN_VIEWERS_LANGUAGE}['page.part_missing']; }}"
        ").finally(() => { element.inert = false; });"
    )


def module_links() -> str:
    """Links by which the browser fetches all modules at once, and not each when the one before names it."""
    return "".join(f'<link rel="modulepreload" href="{module_address(name)}">' for name in modules())


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
