"""The texts of the page: the same ones in every language, each of them used, and none in the code itself."""

import ast
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from starlette.requests import Request

from db.errors import NameTaken, NotFound
from webapp.texts import LANGUAGES, Texts, all_texts, preferred_language, read_texts, texts_of
from webapp.texts.translation import read_sentences, translated

ROOT = Path(__file__).parents[3]
PAGE = [path for suffix in ("py", "js", "html") for path in (ROOT / "webapp").rglob(f"*.{suffix}")]
# How a key is written where it is used: say("key"), t(`group.${name}`), data-t-title="key", label="key", words: "key".
KEY = r"[a-z]\w*(?:\.[\w-]+)*"
USED = re.compile(rf"[\"'`]({KEY})[\"'`]")
USED_GROUP = re.compile(rf"[\"'`]({KEY}\.)(?:\$?\{{)")
ASKED = re.compile(rf"(?:\bt\(|\bsay\(|data-t(?:-[a-z-]+)?=)[\"']({KEY})[\"']")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_texts_with_the_same_values_in_them(language: str) -> None:
    english, texts = read_texts("en"), read_texts(language)
    assert list(texts) == list(english)
    for key, text in texts.items():
        assert text.strip() or key == "and", f"{key} is empty"
        assert values_in(text) == values_in(english[key]), key


def test_every_text_is_used_and_every_text_that_is_asked_for_exists() -> None:
    keys = {key.removesuffix(".one").removesuffix(".other") for key in read_texts("en")}
    sources = "\n".join(path.read_text(encoding="utf-8") for path in PAGE)
    used, groups = set(USED.findall(sources)), set(USED_GROUP.findall(sources))

    assert not set(ASKED.findall(sources)) - keys, "these are asked for and don't exist"
    unused = {key for key in keys - used if not any(key.startswith(group) for group in groups)}
    assert not unused, "these are not used"


def test_no_template_says_anything_that_is_not_in_the_texts() -> None:
    for path in (ROOT / "webapp").rglob("*.html"):
        words = WordsOf(path.read_text(encoding="utf-8")).words
        assert not words, f"{path.name} says {words}"


def test_one_and_several_have_texts_of_their_own() -> None:
    say = Texts("en")
    assert say("images", count=1) == "1 image"
    assert say("images", count=1234) == "1,234 images"


def test_a_text_that_does_not_exist_is_an_error_and_never_shown_as_its_key() -> None:
    with pytest.raises(KeyError):
        Texts("en")("no.such.text")


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("ko-KR,ko;q=0.9,en-US;q=0.8", "ko"),
        ("de,en;q=0.5,ko;q=0.7", "ko"),
        ("en; q=0.5, KO ; q=0.7", "ko"),
        ("de-DE", "en"),
        ("", "en"),
        ("*", "en"),
        ("ko;q=much,;;=,en-", "en"),
    ],
)
def test_the_language_is_the_first_of_the_browsers_that_there_are_texts_in(accepted: str, language: str) -> None:
    assert preferred_language(accepted) == language


def test_what_was_chosen_in_the_bar_counts_more_than_what_the_browser_prefers() -> None:
    headers = [(b"accept-language", b"en"), (b"cookie", b"anomalyloop_language=ko")]
    assert texts_of(Request({"type": "http", "headers": headers})).language == "ko"


def test_what_other_rooms_say_is_said_in_korean_with_what_varies_in_it() -> None:
    korean = Texts("ko")
    assert (
        translated(korean, "There are over 50,000 files. Send them in parts, or raise ANOMALYLOOP_MAX_IMPORT_FILES.")
        == "파일이 50,000개를 넘습니다. 나눠 보내거나 ANOMALYLOOP_MAX_IMPORT_FILES를 늘리세요."
    )
    decision = translated(
        korean,
        "Another version became active meanwhile; this one waits for a person. Put in service: marks defects better "
        "than before (pixel AP 0.21 → 0.56) and tells images apart better than before (image AUROC 0.80 → 0.95).",
    )
    assert decision == (
        "그 사이 다른 버전이 사용되기 시작해 이 버전은 사람의 결정을 기다립니다. 적용했습니다. 결함을 전보다 잘 "
        "표시합니다 (픽셀 AP 0.21 → 0.56), 이미지를 전보다 잘 구분합니다 (이미지 AUROC 0.80 → 0.95)."
    )


def test_what_a_sentence_is_about_is_translated_and_names_that_look_like_it_are_not() -> None:
    korean = Texts("ko")
    assert translated(korean, str(NotFound("project", 3))).startswith("프로젝트 3을(를) 찾을 수 없습니다.")
    assert translated(korean, str(NameTaken("project", "user"))).startswith(
        "사용자 'project'이(가) 이미 있습니다(비활성화된"
    )


def test_what_is_not_known_stays_as_it_was_said() -> None:
    assert translated(Texts("ko"), "The moon is full.") == "The moon is full."
    assert translated(Texts("en"), "There are over 9 files. Send them in parts.").startswith("There are over 9")


def test_every_sentence_that_is_translated_is_still_said_somewhere() -> None:
    spoken = set(sentences_in_the_code())
    spoken.add(read_description())
    for language in LANGUAGES:
        for english in read_sentences(language)["sentences"]:
            assert any(english in one for one in spoken), f"nothing says this any more: {english}"


def test_a_translated_sentence_names_no_value_that_is_not_there() -> None:
    for language in LANGUAGES:
        for english, translation in read_sentences(language)["sentences"].items():
            named = {int(number) for number in re.findall(r"\{(\d+)\}", translation)}
            assert named <= set(range(english.count("{}"))), english


def test_the_browser_gets_every_language() -> None:
    assert set(all_texts()) == set(LANGUAGES)
    assert {texts["language.name"] for texts in all_texts().values()} == set(LANGUAGES.values())


def values_in(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def sentences_in_the_code() -> Iterator[str]:
    """All strings of the rooms, what varies in them written as {}."""
    for room in ("db", "workers", "engine", "webapp"):
        for path in (ROOT / room).rglob("*.py"):
            for one in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    yield one.value
                elif isinstance(one, ast.JoinedStr):
                    yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in one.values)


def read_description() -> str:
    """What the embedded backbone says of itself."""
    return json.loads((ROOT / "engine/backbone/weights/embedded.json").read_text())["description"]


class WordsOf(HTMLParser):
    """What a template says by itself: words in its text and in attributes for people.

    Names of keys are no words, nor are styles, places that are filled ($like_this), and the product's name.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.inside: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("input", "path", "circle", "rect"):
            self.inside.append(tag)
        self.words += [value or "" for name, value in attrs if name in ("title", "aria-label", "placeholder")]

    def handle_endtag(self, tag: str) -> None:
        if tag in self.inside:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if self.inside[-1:] in (["kbd"], ["style"]):
            return
        if re.search(r"[^\W\d_]{2,}", re.sub(r"\$\w+|AnomalyLoop", "", data)):
            self.words.append(data.strip())
