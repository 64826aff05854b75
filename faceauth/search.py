"""The 1:N search with one model: the index nominates, the database confirms, and exact comparisons decide.

New references are made findable here too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from faceauth.consent.gate import ConsentGate
from faceauth.consent.scenarios import ScenarioStore
from faceauth.db.engine import Database
from faceauth.errors import ConsentError, KeyDestroyed, Mismatch, SealBroken, SeveralMatch, UnknownReference
from faceauth.match import decide as match
from faceauth.match.operating_points import for_search
from faceauth.types import ConsentGrant, MatchDecision, OperatingPoint, Probe, Reference
from faceauth.vault.index import ReferenceIndex
from faceauth.vault.references import ReferenceStore

log = structlog.get_logger(__name__)

CANDIDATES = 10
"""How many candidates of the index are opened and compared exactly for 1:N."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Whom one model's search found, and by what."""

    probe: Probe
    grant: ConsentGrant
    decision: MatchDecision
    references: Sequence[Reference]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What a search needs."""

    data: Database
    gate: ConsentGate
    references: ReferenceStore
    index: ReferenceIndex

    def one(
        self, tenant: str, scenario: str, probe: Probe, points: Mapping[str, OperatingPoint], people: int
    ) -> Hit | None:
        """Search with one model; nothing if it finds nobody.

        Every candidate's consent is read and its reference opened again, so an index that lags lets nobody in.

        Args:
            tenant: whose people are searched.
            scenario: the identification scenario they agreed to.
            probe: whom to look for.
            points: the model's operating points.
            people: how many are searched, over all models: the threshold rises with it (R8).

        Raises:
            SeveralMatch: two people look like this.
            ConfigurationError: the model has no operating point for a login.
        """
        points = for_search(points)
        found = self.index.search(tenant, scenario, probe.model_digest, probe.vector, CANDIDATES)
        references: list[Reference] = []
        grants: dict[str, ConsentGrant] = {}
        with self.data.read() as conn:
            for candidate in found:
                try:
                    nominee = self.references.open_one(conn, candidate.reference_id, expected_tenant=tenant)
                    if nominee.account in grants:
                        continue
                    grant = self.gate.ask(conn, tenant=tenant, account=nominee.account, scenario=scenario)
                    opened = self.references.open_account(
                        conn,
                        tenant=tenant,
                        account=grant.account,
                        scenario=scenario,
                        model_digest=probe.model_digest,
                    )
                except (ConsentError, KeyDestroyed, SealBroken, UnknownReference):
                    # Erased, withdrawn or damaged since the index saw it: it cannot let anyone in, and must keep
                    # nobody else out.
                    continue
                grants[nominee.account] = grant
                references += opened
        if not references:
            return None
        try:
            decision = match.identify(probe, references, grants=grants, points=points, gallery_size=people)
        except SeveralMatch:
            raise
        except Mismatch:
            return None
        own = [reference for reference in references if reference.account == decision.account]
        return Hit(probe, grants[decision.account], decision, own)

    def learn(
        self, grant: ConsentGrant, stored: Sequence[str], *, scenarios: ScenarioStore, model_digest: bytes
    ) -> None:
        """Make new references findable, where people are searched for. It is committed already: nothing denies.

        Args:
            grant: whose they are.
            stored: their ids; nothing is done without any.
            scenarios: says where people are searched for.
            model_digest: what made them.
        """
        if not stored:
            return
        whose = {"tenant": grant.tenant, "account": grant.account, "scenario": grant.scenario}
        try:
            with self.index.adding() as adding, self.data.read() as conn:
                if scenarios.get(conn, grant.tenant, grant.scenario).mode == "identify":
                    # Whichever of them were erased meanwhile are not there any more.
                    adding.fill(self.references.open_account(conn, **whose, model_digest=model_digest))
        except Exception as error:  # noqa: BLE001  what is stored is not denied for what fails afterwards
            # Whoever is not in the index is not found until the next start; whoever is not there lets nobody in.
            log.warning("session.not_indexed", error=type(error).__name__)
