"""Words for drawn images: captions, pairs of normal and damaged texts, and texts of defect kinds.

Prefixes are many, long and partly senseless, because prompts later put learnt vectors in their place: what a text
means must hang on its last words.
"""

from collections.abc import Sequence

from engine.pretrain.drawing.fields import Rng

NORMAL_WORDS = ("flawless", "perfect", "good", "intact", "normal", "undamaged", "healthy", "clean", "unblemished")
DAMAGED_WORDS = (
    "broken", "defective", "flawed", "faulty", "abnormal", "anomalous", "bad", "diseased", "imperfect", "cracked",
)  # fmt: skip
_TEMPLATES = (
    "", "", "a", "the", "one", "a photo of a", "a photo of the", "a close-up photo of a", "a close-up photo of the",
    "this is a photo of a", "this is a picture of a", "a picture of a", "an image of a", "there is a",
    "a cropped photo of the", "a bright photo of a", "a dark photo of the", "a blurry photo of a",
    "a low resolution photo of a",
    "a black and white photo of the", "a good photo of a", "a jpeg corrupted photo of the", "a photo of my",
    "a photo of one", "a photo of a small", "a photo of a large", "inspection of the", "here is a",
)  # fmt: skip
_FILLERS = (
    "the", "of", "and", "to", "in", "a", "is", "that", "for", "it", "as", "was", "with", "be", "by", "on", "not",
    "he", "his", "but", "at", "are", "this", "have", "from", "or", "had", "an", "they", "which", "one", "you", "were",
    "all", "her", "she", "there", "would", "their", "we", "him", "been", "has", "when", "who", "will", "no", "more",
    "if", "out", "so", "up", "said", "what", "its", "about", "than", "into", "them", "can", "only", "other", "time",
    "new", "some", "could", "these", "two", "may", "first", "then", "do", "any", "like", "my", "now", "over", "such",
    "our", "man", "me", "even", "most", "made", "after", "also", "did", "many", "off", "before", "must", "well",
    "back", "through", "years", "much", "where", "your", "way", "image", "photo", "picture", "view", "part",
    "surface", "sample", "object", "item", "thing", "texture", "material", "detail", "color", "light", "x", "y", "z",
    "1", "2", "3",
)  # fmt: skip
_CONTEXT = 12


def prefix(rng: Rng) -> str:
    """Words to put before a state and a noun: a template, up to 12 fillers, or the X's of a learnable context."""
    draw = rng.random()
    if draw < 0.5:
        return _TEMPLATES[int(rng.integers(len(_TEMPLATES)))]
    if draw < 0.7:
        return " ".join(["X"] * (_CONTEXT if rng.random() < 0.7 else int(rng.integers(1, _CONTEXT))))
    return " ".join(str(word) for word in rng.choice(_FILLERS, int(rng.integers(1, _CONTEXT + 1))))


def state_pair(rng: Rng, noun: str, kind: str | None = None) -> tuple[str, str]:
    """A normal and a damaged text that share prefix and noun; half of them in the plain form of the prompts.

    `kind` names the image's defect; now and then the damaged text ends with it.
    """
    before = prefix(rng)
    normal = "" if rng.random() < 0.5 else _pick(rng, NORMAL_WORDS)
    damaged = "damaged" if rng.random() < 0.6 else _pick(rng, DAMAGED_WORDS)
    if rng.random() < 0.15:
        before = _pick(rng, _TEMPLATES)
        normal, damaged = _several(rng, NORMAL_WORDS, normal), _several(rng, DAMAGED_WORDS, damaged)
    thing = "object" if rng.random() < 0.55 else noun
    after = f" with a {kind}" if kind is not None and rng.random() < 0.12 else ""
    return _sentence(before, normal, thing), _sentence(before, damaged, thing + after)


def caption(rng: Rng, noun: str, defects: Sequence[str]) -> str:
    """State, what it is, and what is wrong with it; half of the captions say "object" for what it is."""
    thing = "object" if rng.random() < 0.5 else noun
    if not defects:
        return _sentence(prefix(rng), "" if rng.random() < 0.4 else _pick(rng, NORMAL_WORDS), thing)
    state = "damaged" if rng.random() < 0.5 else _pick(rng, DAMAGED_WORDS)
    if rng.random() < 0.3:
        return _sentence(prefix(rng), state, thing)
    named = " and a ".join(rng.permutation(list(defects))[:2])
    return _sentence(prefix(rng), state if rng.random() < 0.6 else "", f"{thing} with a {named}")


def kind_text(rng: Rng, kind: str) -> str:
    """A text that is about the defect alone, such as "a photo of a crack."."""
    return _sentence(prefix(rng), "", kind)


def _several(rng: Rng, words: Sequence[str], last: str) -> str:
    """Words of one state in a row, as the product's untuned prompts have them."""
    chosen = [str(word) for word in rng.choice(words, int(rng.integers(1, 7)), replace=False)]
    return " ".join([*" and ".join(chosen[:3]).split(), *chosen[3:], *([last] if last else [])])


def _pick(rng: Rng, words: Sequence[str]) -> str:
    return words[int(rng.integers(len(words)))]


def _sentence(*parts: str) -> str:
    return " ".join(part for part in parts if part) + "."
