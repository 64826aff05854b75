"""The comparison of a probe: with one account's own references, or with everybody's who may be searched."""

from dataclasses import dataclass

from sqlalchemy import Connection

from faceauth.capture.session import CaptureSession
from faceauth.consent.gate import ConsentGate
from faceauth.db.engine import Database
from faceauth.errors import Mismatch, NotEnrolled, SeveralMatch
from faceauth.match import decide as match
from faceauth.match.operating_points import VERIFY_POINT
from faceauth.renewal import Renewal
from faceauth.sameness import Sameness
from faceauth.search import Search
from faceauth.thresholds import Thresholds
from faceauth.types import ConsentGrant, Embedder, LiveCapture, MatchDecision, Probe, Reference
from faceauth.vault.index import ReferenceIndex
from faceauth.vault.references import ReferenceStore


@dataclass(frozen=True, slots=True)
class Match:
    """Who it is, and under whose consent; with `renewed`, the probe that may take the old references' place."""

    grant: ConsentGrant
    decision: MatchDecision
    renewed: Probe | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparing:
    """Compares, with the pack, and while it replaces another one with that one too."""

    data: Database
    gate: ConsentGate
    references: ReferenceStore
    index: ReferenceIndex
    embedder: Embedder
    sameness: Sameness
    thresholds: Thresholds
    renewal: Renewal | None = None

    @property
    def search(self) -> Search:
        """The search of everybody."""
        return Search(data=self.data, gate=self.gate, references=self.references, index=self.index)

    def own(self, session: CaptureSession, grant: ConsentGrant, live: LiveCapture, probe: Probe) -> Match:
        """Compare with the account's own references.

        While the model changes, who has references of the pack before only is compared by that pack.

        Raises:
            NotEnrolled, Mismatch: no reference, or none that matches.
            ApprovalRequired: the thresholds are not those that two people accepted.
        """
        self.thresholds.require()
        renewal = self.renewal
        # Made for everybody, or the time of an answer would tell who is enrolled, and with what (R25).
        earlier = None if renewal is None else renewal.probe(live)
        with self.data.read() as conn:
            references = self._own_references(conn, grant, probe.model_digest)
            old = () if renewal is None else self._own_references(conn, grant, renewal.model_digest)
        if not references and not old:
            self.sameness.compare(session, probe.model_digest)
            raise NotEnrolled("There is no reference of this model to compare with.")
        if references or renewal is None:
            point = self.embedder.operating_points[VERIFY_POINT]
            return Match(grant, match.verify(probe, references, grant=grant, point=point))
        if earlier is None:
            raise Mismatch("The pack before does not see the face.")
        decision = match.verify(earlier, old, grant=grant, point=renewal.points[VERIFY_POINT])
        return Match(grant, decision, probe if renewal.is_sure(earlier, old, grant) else None)

    def everyone(self, session: CaptureSession, live: LiveCapture, probe: Probe) -> Match:
        """Search everyone who consented to the session's identification scenario.

        While the model changes, those whom the pack before knows are searched by it. Each threshold is that for
        all of them together, so that both searches keep the target of one (R8).

        Raises:
            Mismatch: nobody matches, or two people do.
            ApprovalRequired: as in `own`.
        """
        self.thresholds.require()
        place, renewal = (session.tenant, session.scenario), self.renewal
        searches = [(probe, self.embedder.operating_points)]
        if renewal is not None and self.index.people(*place, renewal.model_digest):
            earlier = renewal.probe(live)
            searches += [] if earlier is None else [(earlier, renewal.points)]
        people = sum(self.index.people(*place, one.model_digest) for one, _ in searches)
        hits = [hit for one, points in searches if (hit := self.search.one(*place, one, points, people))]
        if not hits:
            raise Mismatch("Nobody who agreed to be identified looks like this.")
        if len({hit.grant.account for hit in hits}) > 1:
            raise SeveralMatch("More than one person looks like this.")
        hit = hits[0]
        old = hit.probe is not probe
        sure = old and renewal is not None and renewal.is_sure(hit.probe, hit.references, hit.grant)
        return Match(hit.grant, hit.decision, probe if sure else None)

    def _own_references(self, conn: Connection, grant: ConsentGrant, model_digest: bytes) -> tuple[Reference, ...]:
        return self.references.open_account(
            conn, tenant=grant.tenant, account=grant.account, scenario=grant.scenario, model_digest=model_digest
        )
