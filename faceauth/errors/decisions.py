"""Sessions and their decisions."""

from faceauth.errors.root import FaceauthError


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


class DeviceKeyMisused(Denied):
    """What came as a device key's signature over the capture is none; `device_id` names the key, if one is known.

    `cause` says what was wrong, for the audit log: `unknown`, `signature`, `counter`, `account` or `revoked`.
    """

    code = "device_key"

    def __init__(self, cause: str, device_id: str | None = None) -> None:
        super().__init__("injection", f"The device key's signature does not hold ({cause}).")
        self.cause = cause
        self.device_id = device_id


class NotEnrolled(Denied):
    """There is no reference to compare with."""

    code = "not_enrolled"

    def __init__(self, detail: str = "") -> None:
        super().__init__("not_enrolled", detail)
