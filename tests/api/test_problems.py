"""The error table: every error class has a status, and nothing of the inside gets out."""

import json
from pathlib import Path

import pytest
from starlette.requests import Request

from faceauth import errors
from faceauth.api.problems import HTTP_CODES, INTERNAL_DETAIL, TABLE, problem_of
from faceauth.errors import FaceauthError

DOC = Path(__file__).resolve().parents[2] / "docs" / "api.md"


def tree(root: type[FaceauthError] = FaceauthError) -> list[type[FaceauthError]]:
    return [root, *(found for child in root.__subclasses__() for found in tree(child))]


def ours() -> list[type[FaceauthError]]:
    return [kind for kind in tree() if kind.__module__.startswith(f"{errors.__name__}.")]


def raised(kind: type[FaceauthError]) -> FaceauthError:
    made: FaceauthError
    if issubclass(kind, errors.Overloaded):
        made = kind(7)
    elif issubclass(kind, errors.Starting):
        made = kind()
    elif kind is errors.Denied or issubclass(kind, errors.LivenessDenied):
        made = kind("mismatch", "inside text")
    else:
        made = kind("inside text")
    return made


def request() -> Request:
    return Request({"type": "http", "headers": [], "state": {"request_id": "req_1"}})


def test_every_error_class_is_in_the_table() -> None:
    assert set(ours()) == set(TABLE)


@pytest.mark.parametrize("kind", ours(), ids=lambda kind: kind.__name__)
def test_every_error_becomes_a_problem_document(kind: type[FaceauthError]) -> None:
    answer = problem_of(request(), raised(kind))
    body = json.loads(bytes(answer.body))
    assert answer.media_type == "application/problem+json"
    assert body == {
        "type": f"urn:faceauth:problem:{kind.code}",
        "title": TABLE[kind][1],
        "status": answer.status_code,
        "detail": body["detail"],
        "code": kind.code,
        "request_id": "req_1",
    }
    assert 400 <= answer.status_code < 600
    # What fails inside is for the log: its text names folders and servers.
    told = body["detail"] == INTERNAL_DETAIL
    assert told == (answer.status_code >= 500 and kind not in {errors.Overloaded, errors.Starting})


def test_a_class_of_tomorrow_answers_like_its_parent() -> None:
    class Tomorrow(errors.StorageError):
        code = "storage"

    assert problem_of(request(), Tomorrow("x")).status_code == 503


def test_headers_that_callers_need() -> None:
    assert problem_of(request(), errors.Overloaded(7)).headers["retry-after"] == "7"
    assert problem_of(request(), errors.Starting()).headers["retry-after"] == "5"
    assert problem_of(request(), errors.StorageError("x")).headers["retry-after"]
    assert problem_of(request(), errors.NotAuthenticated("x")).headers["www-authenticate"] == "Bearer"


def test_members_of_our_own_never_replace_the_standard_ones() -> None:
    answer = problem_of(request(), errors.ConsentRequired("x"), extra={"status": 200, "scenario": "login"})
    body = json.loads(bytes(answer.body))
    assert (body["status"], body["scenario"]) == (403, "login")


def test_the_page_for_integrators_names_every_code() -> None:
    text = DOC.read_text(encoding="utf-8")
    codes = {kind.code for kind in ours()} | {code for code, _ in HTTP_CODES.values()}
    assert [code for code in sorted(codes) if f"`{code}`" not in text] == []
