"""What consent asks for."""

from faceauth.errors.root import FaceauthError


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
