"""The closed vocabulary of what is audited, each word `source:subject:action`."""

from enum import StrEnum, unique


@unique
class Event(StrEnum):
    """Everything that the audit log can say. A new act needs a new word here, and a test counts them."""

    INSTALLATION_CREATED = "operator:installation:created"
    AUDIT_EXPORTED = "operator:audit:exported"
    MODEL_RETIRED = "operator:model:retired"
    THRESHOLDS_ACCEPTED = "operator:thresholds:accepted"
    KEY_ROTATED = "operator:key:rotated"
    KEY_DESTROYED = "operator:key:destroyed"
    APPROVAL_REQUESTED = "operator:approval:requested"
    APPROVAL_GIVEN = "operator:approval:given"
    APPROVAL_REFUSED = "operator:approval:refused"
    APPROVAL_USED = "operator:approval:used"
    ENROLMENT_REACHED = "service:enrolment:reached"
    BACKUP_WRITTEN = "operator:backup:written"
    BACKUP_RESTORED = "operator:backup:restored"
    APIKEY_CREATED = "operator:apikey:created"
    APIKEY_ROTATED = "operator:apikey:rotated"
    APIKEY_REVOKED = "operator:apikey:revoked"
    WEBHOOK_ADDED = "operator:webhook:added"
    WEBHOOK_ROTATED = "operator:webhook:rotated"
    WEBHOOK_REMOVED = "operator:webhook:removed"
    WEBHOOK_REPLAYED = "operator:webhook:replayed"
    CLIENT_CREATED = "operator:client:created"
    CLIENT_ROTATED = "operator:client:rotated"
    CLIENT_REVOKED = "operator:client:revoked"

    CONSOLE_OPENED = "operator:console:opened"
    CONSOLE_CLOSED = "operator:console:closed"
    ACCOUNT_SEARCHED = "operator:account:searched"
    ACCOUNT_READ = "operator:account:read"

    SCENARIO_CREATED = "privacy:scenario:created"
    SCENARIO_CHANGED = "privacy:scenario:changed"
    SCENARIO_RETIRED = "privacy:scenario:retired"
    NOTICE_PUBLISHED = "privacy:notice:published"
    DRAFT_WRITTEN = "privacy:draft:written"
    DRAFT_CHANGED = "privacy:draft:changed"
    DRAFT_DELETED = "privacy:draft:deleted"
    CAMPAIGN_CREATED = "privacy:campaign:created"
    CAMPAIGN_CANCELLED = "privacy:campaign:cancelled"
    CAMPAIGN_CLOSED = "service:campaign:closed"

    INCIDENT_OPENED = "privacy:incident:opened"
    INCIDENT_CHANGED = "privacy:incident:changed"
    INCIDENT_REPORTED = "privacy:incident:reported"
    INCIDENT_TOLD = "privacy:incident:told"
    INCIDENT_EXPORTED = "privacy:incident:exported"
    INCIDENT_CLOSED = "privacy:incident:closed"

    ACCOUNT_CREATED = "application:account:created"
    ACCOUNT_CHANGED = "application:account:changed"
    ACCOUNT_EXPORTED = "application:account:exported"
    PRIVACY_LINKED = "application:privacy:linked"
    CAPTURE_LINKED = "application:capture:linked"
    LINK_ADDED = "application:link:added"
    LINK_REMOVED = "application:link:removed"
    ACCOUNT_CLOSED = "person:account:closed"

    DEVICE_BOUND = "person:device:bound"
    DEVICE_RENAMED = "person:device:renamed"
    DEVICE_REVOKED = "person:device:revoked"
    DEVICE_MISUSED = "device:device:misused"

    CONSENT_GIVEN = "person:consent:given"
    CONSENT_RENEWED = "person:consent:renewed"
    CONSENT_REFUSED = "person:consent:refused"
    CONSENT_WITHDRAWN = "person:consent:withdrawn"
    CONSENT_EXPIRED = "service:consent:expired"
    CONSENT_REQUESTED = "service:consent:requested"
    CONSENT_SUSPENDED = "service:consent:suspended"

    PROCESSING_RESTRICTED = "person:processing:restricted"
    PROCESSING_RESUMED = "person:processing:resumed"

    BURST_RECEIVED = "device:burst:received"
    SESSION_OPENED = "application:session:opened"
    SESSION_CANCELLED = "device:session:cancelled"
    SESSION_ACCEPTED = "service:session:accepted"
    SESSION_DENIED = "service:session:denied"
    SESSION_REVOKED = "application:session:revoked"
    FACE_LOGIN_DISABLED = "service:attempts:disabled"
    FACE_LOGIN_RESTORED = "application:attempts:restored"

    LOGIN_TOLD = "service:login:told"
    LOGIN_ENDED = "person:login:ended"
    LOGIN_REUSED = "service:login:reused"

    REFERENCE_STORED = "vault:reference:stored"
    REFERENCE_RENEWED = "vault:reference:renewed"
    REFERENCE_ERASED = "vault:reference:erased"
    REFERENCE_DAMAGED = "vault:reference:damaged"
    REFERENCE_RELEASED = "vault:reference:released"
    DATA_KEY_DESTROYED = "vault:datakey:destroyed"
    ERASURE_REQUESTED = "vault:erasure:requested"
    ERASURE_FINISHED = "vault:erasure:finished"


CONCERNS_FACE = frozenset(
    event
    for event in Event
    if event.split(":")[1]
    in {"consent", "session", "attempts", "reference", "erasure", "device", "login", "processing"}
) | {Event.ACCOUNT_EXPORTED, Event.ACCOUNT_CLOSED}
"""What a person sees as "what was done with my face"."""
