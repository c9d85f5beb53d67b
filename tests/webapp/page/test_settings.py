"""What Settings says of the feature cache, of images of more than 8 bits, and of what the line keeps."""

import pytest

from db.projects.line_settings import KEEP
from webapp.page.depth import depth_rule
from webapp.page.line import keep_choices
from webapp.page.settings import cache_html
from webapp.texts import Texts


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_cache_that_is_too_small_for_the_project_says_what_to_set(language):
    say = Texts(language)
    assert cache_html(say, room=0, images=10) == ""
    enough = cache_html(say, room=2_500, images=2_500)
    small = cache_html(say, room=2_500, images=10_000)
    assert "2,500" in enough and "ANOMALYLOOP" not in enough
    assert "10,000" in small and "ANOMALYLOOP_FEATURE_CACHE_GB" in small and "18" in small


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("depth", [None, (0.0, 4095.0)])
def test_the_rule_of_deep_images_says_of_which_files_it_sees_the_upper_bits_alone(language, depth):
    shown = depth_rule(Texts(language), depth)
    assert all(one in shown for one in ("AVIF", "JPEG 2000", "PNG", "TIFF", "8"))
    assert ("4095" in shown) is (depth is not None)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_rule_of_what_is_kept_is_offered_in_words_of_its_own(language):
    choices = keep_choices(Texts(language))
    assert tuple(value for _, value in choices) == KEEP
    assert len({words for words, _ in choices}) == len(KEEP)
