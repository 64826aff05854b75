"""Acts that take two people: whoever asks first records a request, and asks again when another has approved it."""

from collections.abc import Callable
from dataclasses import dataclass

from faceauth.audit.log import AuditLog
from faceauth.consent.scenarios import Scenario
from faceauth.db.engine import Database
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.errors import ApprovalRequired
from faceauth.identity.approvals import Approval, Approvals, Kind, SecondPerson
from faceauth.lifecycle import Lifecycle
from faceauth.match.accepted import accept, accepted
from faceauth.thresholds import Deciding, note_accepted
from faceauth.vault.destruction import Approved, Destruction
from faceauth.vault.enrolled import people_of_scenario


@dataclass(frozen=True, slots=True)
class Outcome:
    """The approval, and `told`, what is to be said once the act is done; None while it waits."""

    approval: Approval
    told: str | None


def destroy_key(
    version: int, *, data: Database, approvals: Approvals, destruction: Destruction, tenant: str, actor: str
) -> Outcome:
    """Destroy an old version of the key-encryption key if a second person approved it; else ask for that.

    Raises:
        ApprovalRequired: If the approval was used or refused meanwhile.
        InvalidRequest: If the version is in use, not there, or not the oldest.
        KeyUnavailable, StorageError, AuditUnavailable: If it could not be done, or not asked for.
    """
    kind, details = Kind.KEY_DESTROY, {"version": version}
    with data.read() as conn:
        found = approvals.find(conn, kind, details, tenant=tenant)
    if found is None or found.state != "approved":
        # Nobody is asked to approve what would then be refused.
        destruction.check_possible(version)
        with data.begin() as conn:
            found = approvals.request(conn, kind, details, tenant=tenant, actor=actor)
    if found.state != "approved":
        return Outcome(found, None)
    second = SecondPerson(approvals, found.approval_id, kind, details, tenant, actor)
    told = destruction.destroy(version, tenant=tenant, actor=actor, approved=second)
    return Outcome(found, told)


def retire_model(
    pack: str,
    model_digest: bytes,
    *,
    data: Database,
    approvals: Approvals,
    erase: Callable[[Approved], int],
    tenant: str,
    actor: str,
) -> Outcome:
    """Erase what a replaced model has made if a second person approved it; else ask for that.

    Args:
        pack: The pack that was replaced.
        model_digest: Its model.
        data: The data database.
        approvals: Where it is asked for.
        erase: Does it, which is `renewal.erase_model`, and returns how many references went.
        tenant: Whose approval it takes.
        actor: Who asks.

    Raises:
        ApprovalRequired: If the approval was used or refused meanwhile.
        KeyUnavailable, StorageError, AuditUnavailable: If an erasure failed, which is finished at the next start,
            or if it could not be asked for.
    """
    kind, details = Kind.MODEL_RETIRE, {"pack": pack, "model_digest": model_digest.hex()}
    with data.begin() as conn:
        found = approvals.request(conn, kind, details, tenant=tenant, actor=actor)
    if found.state != "approved":
        return Outcome(found, None)
    gone = erase(SecondPerson(approvals, found.approval_id, kind, details, tenant, actor))
    return Outcome(found, f"{gone:,} references erased.")


def retire_scenario(
    scenario: str,
    *,
    data: Database,
    approvals: Approvals,
    lifecycle: Lifecycle,
    bulk: int,
    tenant: str,
    actor: str,
) -> Scenario:
    """Retire a scenario; where that erases the faces of many, only if a second person approved it, else ask.

    Args:
        scenario: The scenario.
        data: The data database.
        approvals: Where it is asked for.
        lifecycle: Does it.
        bulk: People from which on it takes two.
        tenant: Whose scenario.
        actor: Who asks.

    Raises:
        UnknownScenario: there is none of that name.
        ApprovalRequired: a second person has to approve it first; the text names the request, which is on record.
    """
    with data.read() as conn:
        people = people_of_scenario(conn, tenant=tenant, scenario=scenario)
        retired = lifecycle.scenarios.get(conn, tenant, scenario).state == "retired"
    if retired or people < bulk:
        return lifecycle.retire(tenant=tenant, scenario=scenario, actor=actor)
    kind, details = Kind.SCENARIO_RETIRE, {"scenario": scenario}
    with data.begin() as conn:
        found = approvals.request(conn, kind, details, tenant=tenant, actor=actor)
    if found.state != "approved":
        raise ApprovalRequired(
            f"Retiring {scenario} erases the faces of {people:,} people: a second person must approve "
            f"{found.approval_id} first (POST /v1/admin/approvals/{found.approval_id}); then ask again."
        )
    second = SecondPerson(approvals, found.approval_id, kind, details, tenant, actor)
    return lifecycle.retire(tenant=tenant, scenario=scenario, actor=actor, approved=second)


def accept_thresholds(
    one: Deciding, *, data: Database, approvals: Approvals, audit: AuditLog, actor: str
) -> Outcome:
    """Accept what a pack decides by if a second person approved it; else ask for that.

    Raises:
        ApprovalRequired: If the approval was used or refused meanwhile.
        StorageError, AuditUnavailable: If it could not be done, or not asked for.
    """
    with data.begin() as conn:
        details = {
            "pack": one.pack,
            "model_digest": one.model,
            "thresholds": one.digest,
            "change": one.differs(accepted(conn)),
        }
        found = approvals.request(conn, Kind.THRESHOLDS, details, tenant=DEFAULT_TENANT, actor=actor)
        if found.state != "approved":
            return Outcome(found, None)
        approvals.use(conn, found, actor=actor)
        accept(conn, model=one.model, digest=one.digest, points=one.points)
        note_accepted(audit, conn, one, actor=actor)
    return Outcome(found, f"{one.pack} decides by its thresholds now; a service that runs needs no restart.")
