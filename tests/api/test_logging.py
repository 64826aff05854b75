"""Logs: nothing that opens a door or rebuilds a face (R9, R24)."""

import json
import logging
import sys
from collections.abc import Iterator
from inspect import getsource

import numpy as np
import pytest
import structlog
from uvicorn.protocols.websockets import websockets_sansio_impl

from faceauth.api.logging import HIDDEN, SOCKET, TURNED_AWAY, configure_logging, hide_secrets


@pytest.fixture
def configured() -> Iterator[None]:
    """Our logging, and afterwards what was there before."""
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    configure_logging()
    yield
    root.handlers[:], level = before[0], before[1]
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("client_token", "x"),
        ("api_key", "x"),
        ("Authorization", "Bearer x"),
        ("vector", [0.1]),
        ("score", 0.61),
        ("anything", b"\xff\xd8"),
        ("anything", np.zeros(3)),
        ("anything", [0.1, 0.2]),
        ("anything", object()),
        ("anything", {"inner_secret": "x"}),
        ("anything", "key fa_" + "A" * 43),
        ("anything", "fc_" + "0" * 64),
        ("anything", "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln"),
        ("anything", "postgresql+psycopg://face:hunter2@db/face"),
    ],
)
def test_hides(name: str, value: object) -> None:
    written = json.dumps(hide_secrets(None, "info", {name: value}))
    assert HIDDEN in written
    for secret in ("fa_A", "fc_0", "eyJ", "hunter2", "0.61", "0.1"):
        assert secret not in written


def test_keeps_what_helps() -> None:
    event = {"event": "request", "status": 200, "ms": 12, "route": "/v1/sessions/{session_id}", "ok": True}
    assert hide_secrets(None, "info", dict(event)) == event
    assert hide_secrets(None, "info", {"at": ["a", "b"], "n": None, "s": 1.23456}) == {
        "at": ["a", "b"],
        "n": None,
        "s": 1.235,
    }


def test_cuts_what_is_long() -> None:
    assert len(str(hide_secrets(None, "info", {"x": "a" * 10_000})["x"])) == 500


@pytest.mark.usefixtures("configured")
def test_one_json_object_a_line_for_ours_and_for_libraries(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    structlog.get_logger("faceauth").info("request", status=200)
    logging.getLogger("uvicorn.error").warning("key fa_%s", "A" * 43)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["request", f"key {HIDDEN}"]


@pytest.mark.usefixtures("configured")
def test_where_messages_go_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    """Some receivers' addresses are secrets themselves."""
    configure_logging()
    logging.getLogger("httpx").info("HTTP Request: POST https://app.example/hook/abc")
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("configured")
def test_a_socket_that_was_turned_away_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Or whoever has no token could fill the log with errors. The words are those of the uvicorn that is here."""
    configure_logging()
    logging.getLogger("uvicorn.error").error(TURNED_AWAY)
    assert capsys.readouterr().err == ""
    assert TURNED_AWAY in getsource(websockets_sansio_impl)


@pytest.mark.usefixtures("configured")
def test_where_a_socket_comes_from_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody's address is kept in the clear, nor the path, which names the session."""
    configure_logging()
    accepted = f"{SOCKET} [accepted]"
    logging.getLogger("uvicorn.error").info(accepted, "192.0.2.7:1", "/v1/sessions/fs_0/stream")
    assert capsys.readouterr().err == ""
    assert getsource(websockets_sansio_impl).count(SOCKET) == 3


@pytest.mark.usefixtures("configured")
def test_an_exception_is_told_by_its_kind_and_place_not_by_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    try:
        int("what somebody sent")
    except ValueError:
        structlog.get_logger("faceauth").exception("request.unhandled")
        logging.getLogger("somewhere").exception("failed")
    written = capsys.readouterr().err
    assert "what somebody sent" not in written
    for line in written.splitlines():
        told = json.loads(line)
        assert told["error"] == "ValueError"
        assert sys._getframe().f_code.co_name in told["at"]
