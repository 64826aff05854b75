"""Whom a campaign asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from faceauth.consent.names import check_scenario
from faceauth.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Audience:
    """Those with a live consent to `consented_to` (the campaign's own scenario if None) that fits all the rest.

    `version_below`: given under an older notice than this version. `active_since`, `inactive_since`: the last use
    of the face for it, or the consent itself if that is later, was then or after, or before.
    """

    consented_to: str | None = None
    version_below: int | None = None
    active_since: datetime | None = None
    inactive_since: datetime | None = None

    def check(self) -> None:
        """Return if it can be asked for.

        Raises:
            InvalidRequest: A name, a version or a time is malformed, or the times leave nobody.
        """
        if self.consented_to is not None:
            check_scenario(self.consented_to)
        if self.version_below is not None and not 1 <= self.version_below < 2**31:
            raise InvalidRequest("audience.version_below must be a notice's version.")
        since, before = self.active_since, self.inactive_since
        if any(at is not None and at.tzinfo is None for at in (since, before)):
            raise InvalidRequest("The audience's times need their zone.")
        if since is not None and before is not None and before <= since:
            raise InvalidRequest("Nobody was active since a time and inactive since one before it.")

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON, without what was left open."""
        told: dict[str, Any] = {}
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, datetime):
                value = value.astimezone(UTC).isoformat(timespec="seconds")
            if value is not None:
                told[name] = value
        return told

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Audience":
        """Return what `to_json` told."""
        times = {
            name: datetime.fromisoformat(told[name]) for name in ("active_since", "inactive_since") if name in told
        }
        return cls(told.get("consented_to"), told.get("version_below"), **times)
