"""What Settings says of the feature cache."""

import pytest

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
