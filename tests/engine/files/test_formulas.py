"""What a table's cell says: text, for a spreadsheet too, and the same text when it is read again."""

import pytest

from engine.files.formulas import cell, text_of


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", "\r", "\n", "'=1", "''-1"])
def test_what_would_be_calculated_gets_an_apostrophe_and_is_read_without_it(text):
    assert cell(text) == "'" + text and text_of(cell(text)) == text


@pytest.mark.parametrize("text", ["", "a", "a=1", "'", "'a'", " =1", "1"])
def test_other_text_stays_as_it_is(text):
    assert cell(text) == text == text_of(text)


@pytest.mark.parametrize("value", [-1, -0.5, None])
def test_numbers_stay_numbers(value):
    assert cell(value) is value
