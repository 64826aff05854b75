"""The gate: asked before every use of a face, the only maker of `ConsentGrant`; anything unclear denies (R29)."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from faceauth.clock import Clock
from faceauth.consent.questions import open_question
from faceauth.consent.standing import (
    LiveConsent,
    being_erased,
    ended,
    first_given,
    live_consent,
    newer_material_notice,
    restricted,
    scenario_state,
    unguarded,
)
from faceauth.errors import ConsentRequired, ConsentStale, UnknownScenario
from faceauth.types import ConsentGrant

_ANOTHER: Final = "The consent this began under has ended. Start again under the new one."


class ConsentGate:
    """Reads whether a person's consent allows one scenario, now. Under `minimum_age` a guardian's is asked for."""

    def __init__(self, clock: Clock, *, minimum_age: int) -> None:
        self._clock = clock
        self._minimum_age = minimum_age

    def ask(
        self, conn: Connection, *, tenant: str, account: str, scenario: str, begun: datetime | None = None
    ) -> ConsentGrant:
        """Return a grant for starting work on this person's face.

        A grant is not enough to store or to accept anything: `confirm` it in the transaction that does.

        `begun` says when what goes on began. A consent that was first given after that is another than the one it
        began under, which was withdrawn meanwhile (R33).

        Raises:
            UnknownScenario: There is no such scenario.
            ConsentRequired: Never given, refused, withdrawn, being erased, suspended, asked about by a campaign
                and not agreed to since, a child's without a guardian (R35), another consent than at `begun`, or
                the scenario is retired.
            ConsentStale: Its time is over, or a material notice came into force after it.
        """
        consent = self._check(conn, tenant, account, scenario, lock=False)
        # A renewal moves `granted_at` and is the same consent, so only then the ledger is asked.
        if begun is not None and consent.granted_at > begun:
            given = first_given(conn, tenant, account, consent.consent_id)
            if given is None or given > begun:
                raise ConsentRequired(_ANOTHER)
        return ConsentGrant(
            tenant=tenant,
            account=account,
            scenario=scenario,
            consent_id=consent.consent_id,
            notice_version=consent.notice_version,
            granted_at=consent.granted_at,
        )

    def confirm(self, conn: Connection, grant: ConsentGrant) -> None:
        """Check again inside the transaction that accepts or stores (R33).

        On PostgreSQL the consent's row is locked FOR SHARE and the scenario's FOR KEY SHARE, so a withdrawal, an
        erasure, a retirement or a new notice commits before this check or waits for this transaction. SQLite has
        one writer at a time anyway.

        Raises:
            ConsentRequired: As in `ask`, or the live consent is another than the grant's.
            ConsentStale: As in `ask`.
        """
        consent = self._check(conn, grant.tenant, grant.account, grant.scenario, lock=True)
        if consent.consent_id != grant.consent_id:
            raise ConsentRequired(_ANOTHER)

    def _check(self, conn: Connection, tenant: str, account: str, scenario: str, *, lock: bool) -> LiveConsent:
        # The locks come first: what is read after a wait is what the other transaction left. Everybody locks in
        # the order scenario, account, consent, audit head, so that nobody waits in a circle.
        state = scenario_state(conn, tenant, scenario, lock=lock)
        consent = live_consent(conn, tenant, account, scenario, lock=lock)
        if state is None:
            raise UnknownScenario(f"There is no scenario {scenario[:64]!r}. GET /v1/scenarios lists them.")
        if state != "active":
            raise ConsentRequired("The scenario is retired; it allows nothing any more. Use another method.")
        if (
            consent is None
            or being_erased(conn, tenant, account, scenario)
            or ended(conn, tenant, account, consent.consent_id)
        ):
            raise ConsentRequired("The person has not agreed to this scenario. Ask, or use another method.")
        if restricted(conn, tenant, account):
            raise ConsentRequired("The person has suspended every use of their face. Use another method.")
        if open_question(conn, tenant, account, scenario) is not None:
            raise ConsentRequired("A question waits for the person's yes. Ask it, or use another method.")
        now = self._clock()
        if unguarded(conn, tenant, account, consent.consent_id, minimum_age=self._minimum_age, today=now.date()):
            raise ConsentRequired(
                f"The person is under {self._minimum_age}, and no guardian agreed. Name one and ask again."
            )
        if consent.valid_until <= now:
            raise ConsentStale("The consent's time is over. Ask again, or use another method.")
        if newer_material_notice(conn, tenant, scenario, consent, now) is not None:
            raise ConsentStale("The notice has changed in substance. Ask again, or use another method.")
        return consent
