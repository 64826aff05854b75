"""Who the caller is."""

from faceauth.errors.root import FaceauthError


class NotAuthenticated(FaceauthError):
    """No credential, or one that is not valid."""

    code = "not_authenticated"


class NotAllowed(FaceauthError):
    """The credential is valid but does not reach this far."""

    code = "not_allowed"


class ReauthenticationRequired(FaceauthError):
    """Enrolling needs a fresh proof that the person signed in by another factor (R14)."""

    code = "reauthentication_required"
