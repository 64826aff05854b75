"""The ledger: append-only events, each with a signed receipt; the state of a consent follows from them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol, cast

from sqlalchemy import Connection, insert, select, update

from faceauth.clock import Clock
from faceauth.consent.accounts import Account, AccountStore
from faceauth.consent.ages import age
from faceauth.consent.events import ConsentEvent, account_events, append_event, next_seq, standing_event
from faceauth.consent.names import is_scenario
from faceauth.consent.notices import Notice, NoticeStore
from faceauth.consent.questions import open_question
from faceauth.consent.record import Occasion, consent_record
from faceauth.consent.request import Affirmation, ConsentRequest
from faceauth.consent.scenarios import Scenario, ScenarioStore
from faceauth.consent.standing import (
    being_erased,
    ended,
    live_consent,
    lock_account,
    made_at,
    scenario_state,
)
from faceauth.consent.substance import Substance
from faceauth.db.schema import live_consents
from faceauth.errors import ConsentInvalid, GuardianRequired, UnknownAccount, UnknownNotice, UnknownScenario
from faceauth.sections import ConsentSettings

__all__ = ["Affirmation", "ConsentEvent", "ConsentLedger", "ConsentRequest", "ConsentState", "Signer"]

RECEIPT_TYPE = "consent-receipt+jwt"

State = Literal["requested", "given", "renewed", "refused", "withdrawn", "expired"]


class Signer(Protocol):
    """Signs a receipt; `faceauth.signing.Signer` is one."""

    def sign(self, claims: Mapping[str, object], *, typ: str) -> str:
        """Return a compact JWS over the claims."""
        ...


@dataclass(frozen=True, slots=True)
class ConsentState:
    """Where a consent stands, and `since` when; `stale` says that a material notice asks for a new answer.

    `declined` is the newest notice that the person has said no to since, while this consent went on.
    """

    state: State
    consent_id: str
    notice_version: int
    since: datetime
    valid_until: datetime | None
    stale: bool
    declined: int | None = None

    @property
    def allows(self) -> bool:
        """Whether the state alone allows processing (R29); only the gate decides."""
        return self.state in {"given", "renewed"} and not self.stale


class ConsentLedger:
    """Writes down what people decide. `new_id` makes an id for a kind of thing, such as ``consent``."""

    def __init__(
        self, *, signer: Signer, consent: ConsentSettings, clock: Clock, new_id: Callable[[str], str]
    ) -> None:
        self._signer = signer
        self._settings = consent
        self._clock = clock
        self._new_id = new_id
        self._accounts = AccountStore()
        self._scenarios = ScenarioStore(consent)
        self._notices = NoticeStore()

    def record(self, conn: Connection, *, tenant: str, account: str, request: ConsentRequest) -> ConsentEvent:
        """Write down an answer in the caller's transaction.

        Given while live renews the same consent under the notice shown; given after an end makes a new consent.
        A no has an id of its own: an earlier consent is neither ended nor renewed by it, and goes on as it was.

        Raises:
            UnknownAccount: There is no such account.
            UnknownScenario: There is no such scenario.
            ConsentInvalid: Bundled, ticked by default, another text than the one published, a yes to a notice
                that is not in force, a retired scenario, an erasure under way, or a no to what was agreed to and
                still counts: that is withdrawn.
            GuardianRequired: The person is under the configured age and no guardian is named (R35).
        """
        request.check()
        now = self._clock()
        scenario = self._lock(conn, tenant, account, request.scenario)
        notice = self._shown(conn, tenant, request, now)
        person = self._accounts.get(conn, tenant, account)
        live = live_consent(conn, tenant, account, request.scenario, lock=False)
        over = live is not None and ended(conn, tenant, account, live.consent_id)
        if request.decision == "refused":
            if not self.refusable(conn, tenant=tenant, account=account, request=request):
                raise ConsentInvalid("The person agreed to this notice, and it counts. To end it, withdraw it.")
            state, consent_id, until = "refused", self._new_id("consent"), None
        else:
            if over or being_erased(conn, tenant, account, request.scenario):
                raise ConsentInvalid("What was withdrawn is still being erased. Ask again in a moment.")
            state = "given" if live is None else "renewed"
            consent_id = self._new_id("consent") if live is None else live.consent_id
            # The earlier of the two clocks ends it (R39); the term is the one that the person read.
            days = scenario.retention_days if notice.substance is None else notice.substance.retention_days
            until = now + timedelta(days=min(self._settings.validity_days, days))
        occasion = Occasion(
            consent_id=consent_id,
            event_id=self._new_id("event"),
            account=account,
            state=state,
            event_at=now,
            valid_until=until,
            notice_version=request.notice_version,
            affirmation=request.affirmation.as_json(),
            guardian=request.decision == "given" and self._is_child(person, now),
        )
        event = self._write(conn, occasion, scenario=scenario, notice=notice, locale=request.locale)
        if until is not None:
            self._make_live(conn, event)
        return event

    def withdraw(self, conn: Connection, *, tenant: str, account: str, scenario: str) -> ConsentEvent | None:
        """Write down that the consent ended; None when there is none to end, so withdrawing twice is fine.

        From this commit on the gate denies. The live row stays for the erasure, which deletes it together with the
        references that lean on it; the caller requests that erasure in the same transaction.
        """
        return self._end(conn, tenant, account, scenario, "withdrawn")

    def expire(self, conn: Connection, *, tenant: str, account: str, scenario: str) -> ConsentEvent | None:
        """Write down that the consent's time is over (R39); otherwise as `withdraw`."""
        return self._end(conn, tenant, account, scenario, "expired")

    def _end(
        self, conn: Connection, tenant: str, account: str, scenario: str, state: Literal["withdrawn", "expired"]
    ) -> ConsentEvent | None:
        # The lock keeps a login that is being accepted apart: it commits before, or sees the end (R33).
        if not is_scenario(scenario) or not lock_account(conn, tenant, account):
            return None
        here = live_consents.c
        conn.execute(
            select(here.consent_id)
            .where(here.tenant == tenant, here.account == account, here.scenario == scenario)
            .with_for_update()
        )
        live = live_consent(conn, tenant, account, scenario, lock=False)
        if live is None or ended(conn, tenant, account, live.consent_id):
            return None
        last = [e for e in account_events(conn, tenant, account, scenario) if e.consent_id == live.consent_id][-1]
        found = self._scenarios.get(conn, tenant, scenario)
        notice = self._notices.version(conn, tenant, scenario, last.notice_version)
        return self._write(
            conn,
            Occasion(
                consent_id=live.consent_id,
                event_id=self._new_id("event"),
                account=account,
                state=state,
                event_at=self._clock(),
                valid_until=None,
                notice_version=last.notice_version,
                affirmation=None,
                guardian=False,
            ),
            scenario=found,
            notice=notice,
            locale=last.locale,
        )

    def state(self, conn: Connection, tenant: str, account: str, scenario: str) -> ConsentState | None:
        """Return where the consent stands, or None when this person was never asked."""
        events = account_events(conn, tenant, account, scenario, since=made_at(conn, tenant, account))
        last, now = standing_event(events), self._clock()
        if last is None:
            return None
        state, since = cast("State", last.state), last.event_at
        if state in {"given", "renewed"} and last.valid_until is not None and last.valid_until <= now:
            state, since = "expired", last.valid_until
        newer = self._notices.superseded_by(conn, tenant, scenario, last.notice_version, now)
        # After the line that stands there is nothing but a no to something newer.
        declined = [one.notice_version for one in events if one.seq > last.seq]
        return ConsentState(
            state,
            last.consent_id,
            last.notice_version,
            since=since,
            valid_until=last.valid_until,
            stale=newer is not None,
            declined=max(declined, default=None),
        )

    def history(self, conn: Connection, tenant: str, account: str) -> tuple[ConsentEvent, ...]:
        """Return every line about this account, the oldest first.

        None that is older than the account: another person may have had its name. Without an account, all.
        """
        return account_events(conn, tenant, account, since=made_at(conn, tenant, account))

    def live(self, conn: Connection, tenant: str, account: str) -> tuple[str, ...]:
        """Return the scenarios whose consent was given and not ended, in order."""
        here = live_consents.c
        rows = conn.execute(
            select(here.scenario, here.consent_id)
            .where(here.tenant == tenant, here.account == account)
            .order_by(here.scenario)
        )
        return tuple(row.scenario for row in rows.all() if not ended(conn, tenant, account, row.consent_id))

    def _lock(self, conn: Connection, tenant: str, account: str, scenario: str) -> Scenario:
        """Take the locks in everybody's order (see ConsentGate) and return the active scenario."""
        state = scenario_state(conn, tenant, scenario, lock=True)
        if not lock_account(conn, tenant, account):
            raise UnknownAccount("There is no such account. Make it first with PUT /v1/accounts/{account_id}.")
        if state is None:
            raise UnknownScenario(f"There is no scenario {scenario[:64]!r}. GET /v1/scenarios lists them.")
        if state != "active":
            raise ConsentInvalid("The scenario is retired; nobody can agree to it any more.")
        return self._scenarios.get(conn, tenant, scenario)

    def refusable(self, conn: Connection, *, tenant: str, account: str, request: ConsentRequest) -> bool:
        """Say whether a no would be an answer to this notice; else there is a consent to it, to be withdrawn."""
        live = live_consent(conn, tenant, account, request.scenario, lock=False)
        return (
            live is None
            or request.notice_version > live.notice_version
            or live.valid_until <= self._clock()
            or ended(conn, tenant, account, live.consent_id)
            or open_question(conn, tenant, account, request.scenario) is not None
        )

    def _shown(self, conn: Connection, tenant: str, request: ConsentRequest, now: datetime) -> Notice:
        """Return the notice the person saw, if its text is one of ours, unaltered and in force (R30).

        A no may come to one that was announced and is not in force yet.
        """
        try:
            notice: Notice = self._notices.version(conn, tenant, request.scenario, request.notice_version)
            text = notice.text(request.locale)
        except UnknownNotice as error:
            raise ConsentInvalid(f"{error} Show the notice that GET /v1/scenarios names.") from error
        if text.sha256 != request.notice_sha256:
            raise ConsentInvalid(
                "notice_sha256 is not the published text's: what was shown was another text (R30)."
            )
        if notice.effective_at > now and request.decision == "given":
            raise ConsentInvalid(f"Notice {notice.version} is not in force yet. Show the current one.")
        newer = self._notices.superseded_by(conn, tenant, request.scenario, notice.version, now)
        if newer is not None:
            raise ConsentInvalid(f"Notice {notice.version} was replaced by {newer}. Show the current one.")
        return notice

    def _is_child(self, person: Account, now: datetime) -> bool:
        """Say whether a guardian answers for this person (R35).

        Raises:
            GuardianRequired: One must, and none is named.
        """
        limit = self._settings.minimum_age
        if person.birth_date is None or age(person.birth_date, now.date()) >= limit:
            return False
        if not person.guardian:
            raise GuardianRequired(f"Under {limit} a guardian must agree. Name one with PUT /v1/accounts.")
        return True

    def _write(
        self, conn: Connection, occasion: Occasion, *, scenario: Scenario, notice: Notice, locale: str
    ) -> ConsentEvent:
        text = notice.text(locale)
        substance = notice.substance or Substance.of(
            self._settings,
            mode=scenario.mode,
            purpose=scenario.titles,
            retention_days=scenario.retention_days,
        )
        record = consent_record(
            occasion, scenario=scenario, notice=text, substance=substance, settings=self._settings
        )
        claims = {
            "jti": occasion.event_id,
            "sub": occasion.account,
            "iat": int(occasion.event_at.timestamp()),
            "consent_record": record,
        }
        event = ConsentEvent(
            event_id=occasion.event_id,
            seq=next_seq(conn, scenario.tenant, occasion.account),
            consent_id=occasion.consent_id,
            tenant=scenario.tenant,
            account=occasion.account,
            scenario=scenario.scenario,
            state=occasion.state,
            notice_version=occasion.notice_version,
            notice_sha256=text.sha256,
            locale=text.locale,
            event_at=occasion.event_at,
            valid_until=occasion.valid_until,
            record=record,
            receipt=self._signer.sign(claims, typ=RECEIPT_TYPE),
        )
        return append_event(conn, event)

    def _make_live(self, conn: Connection, event: ConsentEvent) -> None:
        key = {"tenant": event.tenant, "account": event.account, "scenario": event.scenario}
        facts = {
            "notice_version": event.notice_version,
            "valid_until": event.valid_until,
            "granted_at": event.event_at,
        }
        if event.state == "renewed":
            here = [live_consents.c[name] == value for name, value in key.items()]
            conn.execute(update(live_consents).where(*here).values(**facts))
        else:
            conn.execute(insert(live_consents).values(**key, **facts, consent_id=event.consent_id))
