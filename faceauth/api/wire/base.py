"""What every schema shares: nothing unknown, nothing guessed, and text that every database can hold."""

from datetime import datetime
from typing import Annotated, Any, Final, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

Wire = TypeVar("Wire", bound="Request | Answer")


class Request(BaseModel):
    """A body from outside. Unknown fields are refused, and ``"false"`` is no truth value."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """A body of ours."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def with_example(example: dict[str, Any]) -> Any:
    """Return the schema extra that carries one example; the OpenAPI document shows it with every use."""
    return {"examples": [example]}


def _storable(text: str) -> str:
    # PostgreSQL stores no NUL; a lone surrogate is no Unicode text and UTF-8 cannot carry it.
    if "\x00" in text or any("\ud800" <= one <= "\udfff" for one in text):
        raise ValueError("holds a character that cannot be stored")
    return text


EARLIEST: Final = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
LATEST: Final = datetime.fromisoformat("2999-12-31T00:00:00+00:00")


def _sensible(at: datetime) -> datetime:
    # Near year 1 and year 9999 arithmetic with zones overflows.
    if not EARLIEST <= at <= LATEST:
        raise ValueError("is no time of this age")
    return at


def _number(value: object) -> object:
    # To Python, and so to pydantic, true is 1: nobody agreed to version 1 by it.
    if value is True or value is False:
        raise ValueError("is a truth value, not a version")
    return value


Text = Annotated[str, AfterValidator(_storable)]
"""Text that every database can hold; its length is capped where it is used."""

At = Annotated[AwareDatetime, AfterValidator(_sensible)]
"""A time with its zone."""

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:@+-]{1,200}$")]
"""An id as the application or the service made it."""

ScenarioName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]

Locale = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$")]

Version = Annotated[int, Field(ge=1, le=2**31 - 1), BeforeValidator(_number)]


class Problem(Answer):
    """An error (RFC 9457). Branch on `code`; tell `request_id` to whoever runs the service."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str

    model_config = ConfigDict(
        extra="allow",
        frozen=True,
        json_schema_extra=with_example(
            {
                "type": "urn:faceauth:problem:unknown_account",
                "title": "No such account",
                "status": 404,
                "detail": "There is no such account. Make it first with PUT /v1/accounts/{account_id}.",
                "code": "unknown_account",
                "request_id": "req_5f0c2d8a9b1e4f37",
            }
        ),
    )
