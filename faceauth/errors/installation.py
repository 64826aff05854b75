"""The installation itself."""

from faceauth.errors.root import FaceauthError


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
    """What is signed is not what its key signed: a token, a receipt (R18), a device key or its signature."""

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
