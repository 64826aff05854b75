"""One line of the story: what was asked, what happened, what it proves, and whether it was to happen."""

from collections.abc import Callable
from dataclasses import dataclass

from faceauth.errors import FaceauthError


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `as_expected` is false where the story went another way than it must."""

    asked: str
    happened: str
    proves: str
    as_expected: bool = True


def refused(asked: str, act: Callable[[], object], *, expected: type[FaceauthError], proves: str) -> Line:
    """Do what must be refused, and tell how it was."""
    try:
        act()
    except expected as error:
        return Line(asked, f"refused, {error.code}: {error}", proves)
    except FaceauthError as error:
        return Line(asked, f"refused, but as {error.code}: {error}", proves, as_expected=False)
    return Line(asked, "it was done", proves, as_expected=False)
