"""The rotation of the key-encryption key, as the operator asks for it."""

from pydantic import ConfigDict, StrictBool

from faceauth.api.wire.base import Answer, Request, Version, with_example

_VERSION = {"version": 2, "destroyed": False, "data_keys": 1204}


class KeyVersion(Answer):
    """A version of the key-encryption key, and how many data keys are wrapped under it."""

    version: int
    destroyed: bool
    data_keys: int

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example(_VERSION))


class KeysAnswer(Answer):
    """How the keys stand. `provider` holds the key-encryption key; `signing` and `checking` are ids of keys."""

    provider: str
    active: int
    minimum: int
    rotating: bool
    versions: list[KeyVersion]
    signing: str
    checking: list[str]

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {
                "provider": "file",
                "active": 2,
                "minimum": 2,
                "rotating": False,
                "versions": [_VERSION],
                "signing": "2026-03-01",
                "checking": [],
            }
        ),
    )


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


class DestroyRequest(Request):
    """Which version; the oldest, under which no data key is wrapped any more."""

    version: Version

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_example({"version": 1}))


class DestroyAnswer(Answer):
    """Whether it is done. If not, another administrator has to approve `approval_id`; then ask for it again."""

    version: int
    destroyed: bool
    approval_id: str
    left_to_do: str

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra=with_example(
            {
                "version": 1,
                "destroyed": False,
                "approval_id": "approval_5f0c2d8a9b1e4f37",
                "left_to_do": "A second person must approve it; then ask again.",
            }
        ),
    )
