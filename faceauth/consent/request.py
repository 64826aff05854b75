"""A person's answer as it was sent, checked before it may become a record (R30, R31)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from faceauth.consent.names import is_plain_text
from faceauth.errors import ConsentInvalid

METHODS = ("checkbox", "signature", "oral")
TEXT_LIMIT = 2000
"""Characters of the sentence that was affirmed. Own figure; the notice itself is stored by its hash."""


@dataclass(frozen=True, slots=True)
class Affirmation:
    """How the person said it: by which act, beside which words, and whether the box was ticked for them."""

    method: str
    checked_by_default: bool
    text: str = field(repr=False)

    def as_json(self) -> dict[str, object]:
        """Return it as the record holds it."""
        return {"method": self.method, "checked_by_default": self.checked_by_default, "text": self.text}


@dataclass(frozen=True, slots=True)
class ConsentRequest:
    """One answer to one notice of one scenario."""

    scenario: str
    notice_version: int
    notice_sha256: str
    locale: str
    decision: Literal["given", "refused"]
    affirmation: Affirmation

    @classmethod
    def from_json(cls, unverified_body: Mapping[str, object]) -> "ConsentRequest":
        """Return the answer that a JSON body holds.

        Raises:
            ConsentInvalid: Something is missing or of the wrong kind, or several scenarios are bundled (R31).
        """
        affirmation = unverified_body.get("affirmation")
        if not isinstance(affirmation, Mapping):
            raise ConsentInvalid("affirmation must say method, checked_by_default and text.")
        told: Mapping[str, Any] = unverified_body  # checked next
        try:
            request = cls(
                **{name: told[name] for name in cls.__slots__ if name != "affirmation"},
                affirmation=Affirmation(**{name: affirmation[name] for name in Affirmation.__slots__}),
            )
        except KeyError as error:
            raise ConsentInvalid(f"{error.args[0]} is missing.") from error
        request.check()
        return request

    def check(self) -> None:
        """Return if the answer is separate, unticked and complete.

        Raises:
            ConsentInvalid: It is not; the text says what to change.
        """
        kinds: tuple[tuple[str, object, type], ...] = (
            ("scenario", self.scenario, str),
            ("notice_version", self.notice_version, int),
            ("notice_sha256", self.notice_sha256, str),
            ("locale", self.locale, str),
            ("method", self.affirmation.method, str),
            ("text", self.affirmation.text, str),
        )
        for name, value, kind in kinds:
            if type(value) is not kind:  # a list of scenarios is a bundle; True is no version
                raise ConsentInvalid(f"{name} must be one {'number' if kind is int else 'text'} (R31).")
        if self.affirmation.checked_by_default is not False:
            raise ConsentInvalid("checked_by_default must be false: the person ticks the box, nobody else (R31).")
        if self.decision not in {"given", "refused"}:
            raise ConsentInvalid("decision must be given or refused.")
        if self.affirmation.method not in METHODS:
            raise ConsentInvalid(f"method must be one of {', '.join(METHODS)}.")
        text = self.affirmation.text
        if not text.strip() or len(text) > TEXT_LIMIT or not is_plain_text(text):
            raise ConsentInvalid(f"text must be the words that were affirmed, at most {TEXT_LIMIT} characters.")
