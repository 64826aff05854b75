"""What a notice promises beyond its words; a change of any of it is material, whatever is said (R34)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from faceauth.errors import InvalidRequest
from faceauth.sections import ConsentSettings

RECIPIENTS: Final = 20
"""Recipients that a notice may name. Own figure: a longer list is no answer to who gets the data."""

UNRECORDED: Final = "unrecorded"
"""Why a notice is material whose predecessor was published before its substance was written down."""


@dataclass(frozen=True, slots=True)
class Substance:
    """What people agree to: by whom, for what, how, for how long, kept where, told to whom.

    `purpose` is the scenario's title by language, `method` what is done with the face.
    """

    controller: str
    recipients: tuple[str, ...]
    purpose: Mapping[str, str]
    method: str
    retention_days: int
    storage_place: str

    @classmethod
    def of(
        cls,
        consent: ConsentSettings,
        *,
        mode: str,
        purpose: Mapping[str, str],
        retention_days: int,
        recipients: tuple[str, ...] = (),
    ) -> "Substance":
        """Return what holds by the settings and a scenario.

        Raises:
            InvalidRequest: There are too many recipients, or one has no name.
        """
        if len(recipients) > RECIPIENTS or any(
            not 1 <= len(name.strip()) <= 200 or not name.isprintable() for name in recipients
        ):
            raise InvalidRequest(f"recipients are up to {RECIPIENTS} names of 1 to 200 characters.")
        return cls(
            controller=consent.controller,
            recipients=tuple(sorted({name.strip() for name in recipients})),
            purpose=dict(purpose),
            method=f"face recognition, {mode}",
            retention_days=min(retention_days, consent.validity_days),
            storage_place=consent.storage_place,
        )

    @classmethod
    def from_json(cls, stored: Mapping[str, Any] | None) -> "Substance | None":
        """Return what a notice was stored with; None for one that is older than this."""
        return None if stored is None else cls(**{**stored, "recipients": tuple(stored["recipients"])})

    def as_json(self) -> dict[str, Any]:
        """Return it as a notice is stored with it."""
        return {**asdict(self), "recipients": list(self.recipients)}

    def changed_since(self, before: "Substance | None") -> tuple[str, ...]:
        """Return which parts differ from the notice before: each alone makes this one material."""
        if before is None:
            return (UNRECORDED,)
        return tuple(one.name for one in fields(self) if getattr(self, one.name) != getattr(before, one.name))
