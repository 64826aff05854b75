"""Acts that take two people: whoever asks first records a request, and asks again when another has approved it."""

from dataclasses import dataclass

from faceauth.db.engine import Database
from faceauth.identity.approvals import Approval, Approvals, Kind, SecondPerson
from faceauth.vault.destruction import Destruction


@dataclass(frozen=True, slots=True)
class Outcome:
    """The approval, and `told`, what is left to be done once the act is done; None while it waits."""

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
