"""What the README says is so."""

import re
from pathlib import Path

import pytest

from settings import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_the_table_has_every_setting_with_its_default(name):
    default = str(Settings.model_fields[name].default)
    shown = f"`{default}`" if default else "–"
    assert f"| `{name.upper()}` | {shown} | {Settings.model_fields[name].description} |" in README


def test_the_table_has_no_setting_that_is_gone():
    assert {name.lower() for name in re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE)} == set(
        Settings.model_fields
    )


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda p: p.name)
def test_every_link_to_a_file_leads_somewhere(page):
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text())
    missing = [link for link in links if not (page.parent / link).exists()]
    assert missing == []
