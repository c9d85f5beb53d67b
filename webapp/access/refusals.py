"""What is refused, and why: the same over REST and on the page."""

from webapp.access.callers import Role
from webapp.texts import Texts

_TITLES = {
    "not-allowed": "Your role does not allow this",
    "token-scope": "The token's scope does not reach this",
    "token-project": "The token is for one project alone",
}


class Refused(Exception):
    """Someone may not do what they ask for.

    Args:
        kind: the last part of the problem's type.
        key: of the sentence that says what is missing.
        values: in that sentence.
    """

    def __init__(self, kind: str, key: str, **values: object) -> None:
        super().__init__(key)
        self.kind, self.title, self.key, self.values = kind, _TITLES[kind], key, values

    def said(self, say: Texts) -> str:
        """The sentence."""
        return say(self.key, **{name: _shown(say, value) for name, value in self.values.items()})


def _shown(say: Texts, value: object) -> object:
    return say(f"role.{value.name.lower()}") if isinstance(value, Role) else value
