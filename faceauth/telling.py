"""Notices of an incident on their way to people: a message for each, by the application's webhooks (R54)."""

from collections.abc import Mapping, Sequence
from typing import Final

from faceauth.audit.register import Notice
from faceauth.clock import Clock
from faceauth.consent.people import languages
from faceauth.db.engine import Database
from faceauth.outbox.messages import Outbox

KIND: Final = "incident.notice"
"""What the messages are called."""

_AT_ONCE: Final = 500
"""Messages in one transaction. Own figure: each is one row, and logins wait no longer than for a large write."""


def send(
    data: Database, notice: Notice, people: Sequence[str], *, tenant: str, incident_id: str, clock: Clock
) -> None:
    """Put one message for each of these accounts into the outbox, some at a time; nobody gets the same twice.

    One transaction of them all would keep every login waiting. What was cut short goes on when it is sent again.

    Args:
        data: The data database.
        notice: What to tell; each person gets their own language, else English, else the first.
        people: Their accounts; who closed theirs meanwhile is left out.
        tenant: Whose accounts.
        incident_id: The incident.
        clock: Returns the time now.
    """
    outbox, told = Outbox(), {"incident_id": incident_id, "notice_id": notice.notice_id}
    for first in range(0, len(people), _AT_ONCE):
        with data.begin() as conn:
            spoken = languages(conn, tenant)
            for account in people[first : first + _AT_ONCE]:
                if account not in spoken:
                    continue
                locale = _language(notice.texts, spoken[account])
                outbox.put(
                    conn,
                    tenant=tenant,
                    kind=KIND,
                    key=f"{notice.notice_id}:{account}",
                    data={**told, "account_id": account, "locale": locale, "text": notice.texts[locale]},
                    account=account,
                    now=clock(),
                )


def _language(texts: Mapping[str, str], spoken: str | None) -> str:
    for wanted in (spoken, (spoken or "").split("-")[0], "en"):
        if wanted in texts:
            return str(wanted)
    return next(iter(texts))
