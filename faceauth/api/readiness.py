"""Whether the service can serve, part by part: what `/readyz` answers in one word, and the console shows."""

from collections.abc import Callable
from typing import Final

from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.errors import FaceauthError, Starting
from faceauth.installation import Installation


def _data(here: Installation) -> None:
    with here.data.read() as conn:
        here.scenarios.list(conn, DEFAULT_TENANT)
    here.data.check_writable()


def _keys(here: Installation) -> None:
    with here.key_database.read():
        pass
    here.key_database.check_writable()


def _index(here: Installation) -> None:
    if here.index.held:
        raise Starting


PARTS: Final[dict[str, Callable[[Installation], None]]] = {"index": _index, "data": _data, "keys": _keys}
"""Each raises why it does not work. Models and keys were checked before the service started."""


def check(here: Installation) -> None:
    """Return if every part works.

    Raises:
        FaceauthError: why the first that does not work does not.
    """
    for part in PARTS.values():
        part(here)


def findings(here: Installation) -> dict[str, FaceauthError | None]:
    """Return each part with why it does not work, or None where it does."""
    return {name: _finding(part, here) for name, part in PARTS.items()}


def _finding(part: Callable[[Installation], None], here: Installation) -> FaceauthError | None:
    try:
        part(here)
    except FaceauthError as error:
        return error
    return None
