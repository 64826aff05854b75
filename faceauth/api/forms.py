"""Parameters of OAuth requests, from an address or a form: each once, and nothing that a database cannot hold."""

from typing import Final
from urllib.parse import parse_qsl

from fastapi import Request

from faceauth.errors import InvalidRequest

FORM: Final = "application/x-www-form-urlencoded"

MOST: Final = 40
LONGEST: Final = 4000
"""Own figures: parameters of one request, and characters of one; an ID Token given as a hint is the longest."""


async def form_of(request: Request) -> dict[str, str]:
    """Return the parameters of a form that was posted; the envelope limits its size.

    Raises:
        InvalidRequest: it is no form, or one of its parameters is not acceptable.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise InvalidRequest(f"Send the parameters as {FORM}.")
    return parameters_of(await request.body())


def query_of(request: Request) -> dict[str, str]:
    """Return the parameters in a request's address.

    Raises:
        InvalidRequest: one is not acceptable.
    """
    return parameters_of(bytes(request.scope.get("query_string", b"")))


def parameters_of(encoded: bytes) -> dict[str, str]:
    """Return the parameters; one without a value counts as left out (RFC 6749, 3.1).

    Raises:
        InvalidRequest: one is there twice or too long, or holds what is no printable text.
    """
    try:
        pairs = parse_qsl(encoded.decode("ascii"), max_num_fields=MOST, errors="strict")
    except ValueError as error:
        raise InvalidRequest("The parameters are no form.") from error
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidRequest("A parameter may be there once.")
    if any(len(value) > LONGEST or not (name + value).isprintable() for name, value in pairs):
        raise InvalidRequest(f"A parameter is at most {LONGEST} printable characters.")
    return found
