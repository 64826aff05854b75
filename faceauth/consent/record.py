"""The consent record: who agreed to what, told in which words, when and for how long (R28).

Its parts and names follow ISO/IEC TS 27560:2023: a header, the processing that was agreed to, the parties, and the
event. It holds no biometric data, so it can outlive the face as proof (R37).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from faceauth.consent.notices import NoticeText
from faceauth.consent.scenarios import Scenario
from faceauth.consent.substance import Substance
from faceauth.sections import ConsentSettings

SCHEMA = "faceauth/consent-record/v1"
"""Names this layout; a later one gets another name and old records keep theirs."""

RIGHTS = ("access", "copy", "correction", "erasure", "restriction", "withdrawal", "complaint")
"""What every person may do about it, whatever the notice says (GDPR 7(3), 15 to 20, 77; PIPL 44 to 47)."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """One event of one consent, before it is written down."""

    consent_id: str
    event_id: str
    account: str
    state: str
    event_at: datetime
    valid_until: datetime | None
    notice_version: int
    affirmation: Mapping[str, object] | None
    guardian: bool


def consent_record(
    occasion: Occasion,
    *,
    scenario: Scenario,
    notice: NoticeText,
    substance: Substance,
    settings: ConsentSettings,
) -> dict[str, object]:
    """Return the record as plain JSON; `substance` is what the notice promised, whatever the settings say now."""
    return {
        "schema_version": SCHEMA,
        "record_id": occasion.consent_id,
        "pii_principal_id": occasion.account,
        "pii_processing": _processing(occasion, scenario, notice, substance, settings),
        "party_identification": [
            {
                "party_id": "controller",
                "party_role": "pii_controller",
                "party_name": substance.controller,
                "party_contact": settings.controller_contact,
            }
        ],
        "event": _event(occasion),
    }


def _processing(
    occasion: Occasion,
    scenario: Scenario,
    notice: NoticeText,
    substance: Substance,
    settings: ConsentSettings,
) -> dict[str, object]:
    return {
        "privacy_notice": {
            "version": occasion.notice_version,
            "sha256": notice.sha256,
            "path": f"/v1/scenarios/{scenario.scenario}/notices/{occasion.notice_version}?locale={notice.locale}",
        },
        "language": notice.locale,
        "purposes": [
            {
                "purpose": scenario.scenario,
                "purpose_description": substance.purpose.get(notice.locale, scenario.scenario),
                "lawful_basis": "consent",
                "pii_information": [
                    {
                        "pii_type": "face image, dropped after the decision; face template, kept sealed",
                        "sensitive_pii_category": "biometric data for identifying a person",
                        "pii_optional": True,
                    }
                ],
                "pii_controllers": ["controller"],
                "collection_method": "camera, after the person starts it",
                "processing_method": substance.method,
                "storage_locations": [substance.storage_place],
                "retention_period": f"P{min(substance.retention_days, settings.validity_days)}D",
                "jurisdiction": settings.jurisdiction,
                "recipient_third_parties": list(substance.recipients),
                "withdrawal_method": f"DELETE /v1/accounts/{{account_id}}/consents/{scenario.scenario}: one step",
                "privacy_rights": list(RIGHTS),
            }
        ],
    }


def _event(occasion: Occasion) -> dict[str, object]:
    event: dict[str, object] = {
        "event_id": occasion.event_id,
        "event_time": iso(occasion.event_at),
        "event_state": occasion.state,
        "event_type": "explicit consent" if occasion.affirmation else "notification by the person",
        "validity_duration": {"until": None if occasion.valid_until is None else iso(occasion.valid_until)},
        "entity_id": "guardian" if occasion.guardian else "pii_principal",
    }
    if occasion.affirmation is not None:
        event["affirmation"] = dict(occasion.affirmation)
    return event


def iso(at: datetime) -> str:
    """Return a time as receipts write it: UTC, to the second, with a Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
