"""What `faceauth doctor` says of things that wait for a person: incidents, and how many people are enrolled."""

from datetime import datetime

from faceauth.audit import register
from faceauth.cli.findings import Finding
from faceauth.consent.notices import NoticeStore
from faceauth.consent.scenarios import ScenarioStore
from faceauth.db.engine import Database
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.sections import ConsentSettings
from faceauth.statistics import ALERT_AT
from faceauth.vault.enrolled import people_enrolled


def incidents(data: Database, now: datetime) -> Finding:
    """Say which incidents wait; one whose 72 hours are over is a problem (R54)."""
    with data.read() as conn:
        waiting = register.unfinished(conn)
    late = [one for one in waiting if one.overdue(now)]
    if late:
        names = ", ".join(one.incident_id for one in late[:3])
        line = f"The authority had to be told of {names} by {late[0].due_at:%Y-%m-%d %H:%M} UTC: docs/incidents.md"
        return Finding("incidents", "problem", line)
    if waiting:
        names = ", ".join(one.incident_id for one in waiting[:3])
        return Finding("incidents", "warning", f"{len(waiting)} open ({names}). See: faceauth incidents list")
    return Finding("incidents", "ok", "none open")


def notices(data: Database, consent: ConsentSettings) -> Finding:
    """Say which notices in force name another controller or storage place than the settings do (R34)."""
    scenarios, store = ScenarioStore(consent), NoticeStore()
    odd: dict[str, str] = {}
    with data.read() as conn:
        for scenario in scenarios.list(conn, DEFAULT_TENANT):
            every = store.every(conn, DEFAULT_TENANT, scenario.scenario) if scenario.state == "active" else ()
            promised = every[-1].substance if every else None
            if promised is None:
                continue
            if promised.controller != consent.controller:
                odd[scenario.scenario] = "the controller"
            elif promised.storage_place != consent.storage_place:
                odd[scenario.scenario] = "the storage place"
    if odd:
        what = next(iter(odd.values()))
        line = f"The settings change {what} that people agreed to for {', '.join(sorted(odd))}: publish the next "
        return Finding("notices", "warning", line + "notice, which will ask everybody again. See docs/consent.md")
    return Finding("notices", "ok", "they name who decides and where data is kept, as the settings do")


def receipts(consent: ConsentSettings) -> Finding:
    """Say which facts of a consent record the operator has not told yet, who alone knows them (R28)."""
    untold = ConsentSettings()
    missing = [
        f"{what} (FACEAUTH_CONSENT__{name.upper()})"
        for name, what in (
            ("controller", "who decides"),
            ("controller_contact", "how to reach them"),
            ("jurisdiction", "whose law applies"),
        )
        if getattr(consent, name) == getattr(untold, name)
    ]
    if missing:
        line = f"Consent records do not name {', '.join(missing)}: set it before people are asked. "
        return Finding("receipts", "warning", line + "See docs/consent.md")
    return Finding("receipts", "ok", "consent records name who decides, how to reach them and whose law applies")


def enrolment(data: Database) -> Finding:
    """Say how many people are enrolled; from 100,000 on a filing is due in China (R55)."""
    with data.read() as conn:
        people = people_enrolled(conn)
    if people >= ALERT_AT:
        line = (
            f"{people:,} people are enrolled: from {ALERT_AT:,} on, China's measures ask for a filing within 30 "
        )
        return Finding("people", "warning", line + "working days. See docs/administration.md")
    return Finding("people", "ok", f"{people:,} enrolled")
