"""What both clients send, and do with an answer: read it, or say in the service's own words what was wrong."""

from typing import Any, TypeVar

import httpx

from faceauth_client._calls import Call

T = TypeVar("T")

TIMEOUT_S = 30.0
"""Seconds a call may take; the service judges no frames for a backend, so its answers come at once."""

SHED = frozenset({429, 503})
"""The service is full and did nothing; the same call may be made again."""

TRIES = 3
"""Own figure: with the service's own waiting times that is some ten seconds."""


class Problem(Exception):
    """A refusal. Branch on `code`; tell `request_id` to whoever runs the service; `body` is the whole document."""

    def __init__(self, status: int, code: str, detail: str, request_id: str | None, body: dict[str, Any]) -> None:
        super().__init__(f"{code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.request_id = request_id
        self.body = body


def written_on(key: str) -> dict[str, str]:
    """Return the headers of every request."""
    return {"Authorization": f"Bearer {key}"}


def request_of(call: Call[Any]) -> dict[str, Any]:
    """Return what httpx is asked for."""
    wanted: dict[str, Any] = {"method": call.method, "url": call.path}
    if call.body is not None:
        wanted["json"] = call.body
    if call.query:
        wanted["params"] = call.query
    return wanted


def pause(answer: httpx.Response) -> float | None:
    """Return how many seconds the service wants to be left alone before it is asked again; None if it answered."""
    if answer.status_code not in SHED:
        return None
    try:
        return min(30.0, float(answer.headers.get("retry-after", "1")))
    except ValueError:
        return 1.0


def read(call: Call[T], answer: httpx.Response) -> T:
    """Return what the call reads of an answer.

    Raises:
        Problem: the service refused.
    """
    if answer.is_success:
        return call.read(answer.json())
    try:
        told = answer.json()
    except ValueError:
        told = {}
    told = told if isinstance(told, dict) else {}
    detail = str(told.get("detail") or answer.reason_phrase)
    raise Problem(answer.status_code, str(told.get("code") or "unknown"), detail, told.get("request_id"), told)
