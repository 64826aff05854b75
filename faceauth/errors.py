"""One tree of errors with stable codes. It knows nothing of HTTP.

`code` is part of the contract: callers branch on it. The text is one line that says what is wrong and what to do.
"""

from typing import ClassVar


class FaceauthError(Exception):
    """The root: every error that this project raises on purpose."""

    code: ClassVar[str] = "internal"


# --- what the caller sent -------------------------------------------------------------------------------------


class InvalidRequest(FaceauthError):
    """The request is malformed."""

    code = "invalid_request"


class InvalidImage(FaceauthError):
    """The bytes are no picture that this service reads."""

    code = "invalid_image"


class ImageTooLarge(InvalidImage):
    """The picture has more pixels or bytes than allowed; it was refused from its header (R20)."""

    code = "image_too_large"


class TooManyFrames(FaceauthError):
    """The session's cap on frames or bytes is reached."""

    code = "too_many_frames"


class InvalidTimeline(FaceauthError):
    """The timeline does not belong to the frames or to the challenge."""

    code = "invalid_timeline"


class UnknownScenario(FaceauthError):
    """No such scenario."""

    code = "unknown_scenario"


class UnknownAccount(FaceauthError):
    """No such account for this tenant."""

    code = "unknown_account"


class UnknownNotice(FaceauthError):
    """No such notice version or language."""

    code = "unknown_notice"


class UnknownReference(FaceauthError):
    """No such reference."""

    code = "unknown_reference"


class UnknownSession(FaceauthError):
    """No such session for this caller."""

    code = "unknown_session"


class UnknownApiKey(FaceauthError):
    """No such API key."""

    code = "unknown_api_key"


class UnknownApproval(FaceauthError):
    """No such approval for this tenant."""

    code = "unknown_approval"


class ApprovalRequired(FaceauthError):
    """The act needs a second person, who has not approved it, or whose approval was for something else (R52)."""

    code = "approval_required"


class AlreadyExists(FaceauthError):
    """A thing of that name is there already."""

    code = "already_exists"


# --- who the caller is ----------------------------------------------------------------------------------------


class NotAuthenticated(FaceauthError):
    """No credential, or one that is not valid."""

    code = "not_authenticated"


class NotAllowed(FaceauthError):
    """The credential is valid but does not reach this far."""

    code = "not_allowed"


class ReauthenticationRequired(FaceauthError):
    """Enrolling needs a fresh proof that the person signed in by another factor (R14)."""

    code = "reauthentication_required"


# --- consent --------------------------------------------------------------------------------------------------


class ConsentError(FaceauthError):
    """The gate stays shut."""

    code = "consent_required"


class ConsentRequired(ConsentError):
    """There is no live consent of this person for this scenario."""

    code = "consent_required"


class ConsentStale(ConsentError):
    """The consent is for a notice that a material one has replaced, or its time is over."""

    code = "consent_stale"


class ConsentInvalid(FaceauthError):
    """The consent as sent cannot be recorded: unknown text, pre-ticked, bundled (R30, R31)."""

    code = "consent_invalid"


class GuardianRequired(FaceauthError):
    """The person is under the configured age and no guardian agreed (R35)."""

    code = "guardian_required"


# --- sessions and decisions -----------------------------------------------------------------------------------


class SessionClosed(FaceauthError):
    """The session was decided, cancelled or has expired; open a new one."""

    code = "session_closed"


class Denied(FaceauthError):
    """A decision against the claimant. The backend learns `reason`, the device only that it was denied."""

    code = "denied"

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason = reason


class LivenessDenied(Denied):
    """A liveness gate denied; `gate` names it, for the log and the tests, never for the device."""

    code = "liveness"

    def __init__(self, gate: str, detail: str = "", *, reason: str = "liveness") -> None:
        super().__init__(reason, detail or gate)
        self.gate = gate


class LivenessInconclusive(LivenessDenied):
    """A gate could not tell; the person may do one thing more, once: `more` is `motion` or `flash`.

    It is a denial unless somebody asks for that step, so who does not know it denies (R4).
    """

    def __init__(self, gate: str, more: str, detail: str = "") -> None:
        super().__init__(gate, detail)
        self.more = more


class Locked(Denied):
    """Too many attempts (R10)."""

    code = "locked"

    def __init__(self, detail: str = "") -> None:
        super().__init__("locked", detail)


class Mismatch(Denied):
    """No reference matched."""

    code = "mismatch"

    def __init__(self, detail: str = "") -> None:
        super().__init__("mismatch", detail)


class SeveralMatch(Mismatch):
    """A search found more than one person, so it names nobody."""


class NotEnrolled(Denied):
    """There is no reference to compare with."""

    code = "not_enrolled"

    def __init__(self, detail: str = "") -> None:
        super().__init__("not_enrolled", detail)


# --- the installation -----------------------------------------------------------------------------------------


class ConfigurationError(FaceauthError):
    """A setting is missing or wrong."""

    code = "configuration"


class ModelError(FaceauthError):
    """A model pack cannot be used."""

    code = "model"


class ModelMissing(ModelError):
    """A file of the pack is not installed."""

    code = "model_missing"


class ModelAltered(ModelError):
    """A file's SHA-256 is not the one in the manifest, or the graph reaches outside itself (R22)."""

    code = "model_altered"


class LicenceNotAccepted(ModelError):
    """The pack's licence must be accepted before it is installed."""

    code = "licence_not_accepted"


class KeyUnavailable(FaceauthError):
    """A key cannot be had. Nothing falls back to another."""

    code = "key_unavailable"


class KeyDestroyed(KeyUnavailable):
    """The data key is not in the key store: an erasure destroyed it, and nothing opens what it sealed."""


class KeyringMissing(KeyUnavailable):
    """The keyring file is not there, cannot be read, or is readable by others."""

    code = "keyring_missing"


class KeyringForeign(KeyUnavailable):
    """The keyring belongs to another installation than the database."""

    code = "keyring_foreign"


class SealBroken(FaceauthError):
    """A sealed record does not open: altered, truncated, moved, or sealed for something else (R46)."""

    code = "seal_broken"


class SignatureInvalid(FaceauthError):
    """A token or receipt is not what one of this installation's keys signed, or it is of another kind (R18)."""

    code = "signature_invalid"


class StorageError(FaceauthError):
    """The database or the data folder failed; the act did not happen."""

    code = "storage"


class DatabaseNewer(StorageError):
    """The database was written by a newer version of faceauth."""

    code = "database_newer"


class RestoreNeeded(StorageError):
    """The database is a backup's copy, or does not know all that was erased: it may not serve (R43)."""

    code = "restore_needed"


class AuditUnavailable(StorageError):
    """The audit record could not be written, so the act did not happen (R49)."""

    code = "audit_unavailable"


class AuditBroken(FaceauthError):
    """The audit log is not what was signed, or records of it are missing (R51)."""

    code = "audit_broken"


class Overloaded(FaceauthError):
    """The queue is full; try again later (R59)."""

    code = "overloaded"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"The service is busy. Try again in {retry_after_s} s.")
        self.retry_after_s = retry_after_s


class Starting(FaceauthError):
    """The service fills its index and cannot search yet."""

    code = "starting"
    retry_after_s = 5
    """Seconds; own figure."""

    def __init__(self) -> None:
        super().__init__("The service has just started and fills its index. Try again in a moment.")
