"""What an audit record may say besides who, what and when: named facts, never a score, a vector or an account."""

import re
from collections.abc import Mapping

Value = str | int | bool

ALLOWED = frozenset(
    {
        "approval_id",
        "campaign_id",
        "chain",
        "client_id",
        "consent_id",
        "count",
        "device_id",
        "endpoint_id",
        "generation",
        "incident_id",
        "key_id",
        "kind",
        "locale",
        "material",
        "mode",
        "model_digest",
        "notice_version",
        "operating_point",
        "pack",
        "profile",
        "purpose",
        "reason",
        "reference_id",
        "replaces",
        "role",
        "scenario",
        "session_id",
        "state",
        "tombstone_id",
        "version",
    }
)
"""The keys. Each new one is a decision: scores help to rebuild a template (R24), identifiers name people (R50)."""

LONGEST = 200

_ACTOR = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,99}", re.ASCII)


def check_details(details: Mapping[str, Value]) -> dict[str, Value]:
    """Return the details if each is allowed.

    Raises:
        ValueError: A key is not on the list, or a value is of another kind or too long.
    """
    for key, value in details.items():
        if key not in ALLOWED:
            raise ValueError(f"{key!r} may not be audited: it is not in faceauth.audit.details.ALLOWED.")
        if type(value) not in {str, int, bool}:  # exactly these: a numpy float is a float, and floats are scores
            raise ValueError(f"{key!r} must be text, a whole number or a truth value.")
        if isinstance(value, str) and len(value) > LONGEST:
            raise ValueError(f"{key!r} is longer than {LONGEST} characters.")
    return dict(details)


def check_actor(actor: str) -> str:
    """Return who acted if it is a plain word such as ``apikey:ak_1`` or ``system``.

    Raises:
        ValueError: It holds other characters: an address or a name does not belong here.
    """
    if not _ACTOR.fullmatch(actor):
        raise ValueError("The actor must be a plain word such as apikey:ak_1.")
    return actor
