"""What every error here is."""

from typing import ClassVar


class FaceauthError(Exception):
    """The root: every error that this project raises on purpose."""

    code: ClassVar[str] = "internal"
