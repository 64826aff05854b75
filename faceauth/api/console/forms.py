"""What a page of the console posts: fields of text, which the wire's own models judge."""

import hmac
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from pydantic import ValidationError

from faceauth.api.console.texts import spoken
from faceauth.api.console.texts.shell import SHELL
from faceauth.api.console.visit import Visit, form_token, signed_in
from faceauth.api.forms import FORM
from faceauth.api.wire.base import Request as Body
from faceauth.errors import InvalidRequest, NotAllowed

MOST: Final = 200
"""Fields of one form (own figure); the envelope limits all of them together."""

TOKEN: Final = "form_token"  # noqa: S105  the field's name
Asked = TypeVar("Asked", bound=Body)


class Form(Mapping[str, str]):
    """The fields of a form, trimmed, with one line ending. A field that was left empty is not there."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._fields: dict[str, list[str]] = {}
        for name, value in pairs:
            plain = value.replace("\r\n", "\n").strip()
            if plain:
                self._fields.setdefault(name, []).append(plain)

    def __getitem__(self, name: str) -> str:
        return self._fields[name][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def lines(self, name: str) -> tuple[str, ...]:
        """Return what stands in a field on lines of its own."""
        return tuple(line.strip() for line in self.get(name, "").splitlines() if line.strip())

    def starting(self, prefix: str) -> dict[str, str]:
        """Return the fields whose names begin so, without that beginning: `text_en` and `text_zh` by language."""
        return {name.removeprefix(prefix): self[name] for name in self if name.startswith(prefix)}


async def posted(request: Request, visit: Annotated[Visit, Depends(signed_in)]) -> Form:
    """Return what one of the console's own pages posted.

    Raises:
        NotAllowed: it comes from another site, or does not carry the session's token.
        InvalidRequest: it is no form.
    """
    from_ourselves(request)
    form = await fields_of(request)
    if not hmac.compare_digest(form.get(TOKEN, "").encode(), form_token(visit.token).encode()):
        raise NotAllowed("This form is out of date. Go back, load the page again and send it once more.")
    return form


def from_ourselves(request: Request) -> None:
    """Return if the browser says that a page of this very site sent this, or is too old to say anything.

    Raises:
        NotAllowed: it came from elsewhere.
    """
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise NotAllowed("This was sent by a page of another site.")


async def fields_of(request: Request) -> Form:
    """Return the fields of a form.

    Raises:
        InvalidRequest: it is no form.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise InvalidRequest(f"Send the fields as {FORM}.")
    try:
        encoded = (await request.body()).decode("ascii")
        return Form(parse_qsl(encoded, max_num_fields=MOST, errors="strict"))
    except ValueError as error:
        raise InvalidRequest("The fields are no form.") from error


def body_of(model: type[Asked], values: Mapping[str, Any]) -> Asked:
    """Return a route's body, made of what was typed; None stands for what was left out.

    Raises:
        InvalidRequest: it is not acceptable; says which field and why, and not what was typed.
    """
    try:
        return model.model_validate({name: value for name, value in values.items() if value is not None})
    except ValidationError as error:
        told = [f"{'.'.join(str(part) for part in one['loc'])[:100]}: {one['msg']}" for one in error.errors()[:3]]
        raise InvalidRequest("; ".join(told)) from None


def check_sure(visit: Visit, form: Form) -> None:
    """Return if the person ticked the box beside an act that cannot be taken back.

    Raises:
        InvalidRequest: they did not.
    """
    if "sure" not in form:
        raise InvalidRequest(spoken(visit.language, SHELL)["not_sure"])


def moment(form: Form, name: str) -> str | None:
    """Return a `datetime-local` field with the zone that the pages name: UTC."""
    return f"{form[name]}Z" if name in form else None


Posted = Annotated[Form, Depends(posted)]
