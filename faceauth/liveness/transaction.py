"""What a session may be opened for beside a login: one transaction, told in words that the person sees."""

import hashlib
import unicodedata
from typing import Final

from faceauth.errors import InvalidRequest
from faceauth.types import Transaction

LONGEST: Final = 500
"""Characters of a text; it must fit a phone's screen above the button (own figure)."""

_JOINERS: Final = frozenset("\u200c\u200d")
"""Without these Persian and many pictures cannot be written (Unicode 16.0, 23.2)."""


def make_transaction(text: str, locale: str | None = None) -> Transaction:
    """Return the transaction that `text` tells.

    Only what can be seen may be in it: line breaks, control and format characters (those that turn the direction
    of writing among them, Unicode TR 36, 2.1) would show another text than the one that is signed.

    Args:
        text: what the person is asked to confirm, as it is shown.
        locale: the text's language, if it is known.

    Raises:
        InvalidRequest: it is empty or too long, begins or ends with a space, or holds what cannot be seen.
    """
    if not 1 <= len(text) <= LONGEST:
        raise InvalidRequest(f"A transaction's text has 1 to {LONGEST} characters.")
    if text != text.strip():
        raise InvalidRequest("A transaction's text begins and ends with something that can be seen.")
    if any(not _visible(one) for one in text):
        raise InvalidRequest("A transaction's text is one line without control or format characters.")
    return Transaction(hashlib.sha256(text.encode()).digest(), text, locale)


def _visible(one: str) -> bool:
    kind = unicodedata.category(one)
    return one in _JOINERS or not (kind.startswith("C") or kind in {"Zl", "Zp"})
