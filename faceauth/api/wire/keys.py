"""The rotation of the key-encryption key, as the operator asks for it."""

from pydantic import ConfigDict, StrictBool

from faceauth.api.wire.base import Answer, Request, with_example


class RotateRequest(Request):
    """With `retire`, data keys wrapped under older versions are refused once none is left."""

    retire: StrictBool = False

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example({"retire": True}))


class RotateAnswer(Answer):
    """How it ended. While `unreadable` is not 0 the minimum stays where it was."""

    version: int
    minimum: int
    rewrapped: int
    resumed: bool
    unreadable: int

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {"version": 2, "minimum": 2, "rewrapped": 1204, "resumed": False, "unreadable": 0}
        ),
    )
