"""`faceauth receipt check`: genuine receipts are read, all others refused (R28, R44)."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.api.conftest import Service, clock, installation, made_once, service, settings
from tests.cli.conftest import Cli

__all__ = ["clock", "installation", "made_once", "service", "settings"]

Written = Callable[[str, object], str]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Write a file and return its name."""

    def write(name: str, content: object) -> str:
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return str(tmp_path / name)

    return write


def test_everything_a_person_took_along_is_checked(cli: Cli, service: Service, written: Written) -> None:
    """With the published keys alone, away from the installation."""
    path = service.account()
    service.consent()
    service.call("DELETE", f"{path}/consents/login")
    bundle = written("mine.json", service.call("GET", f"{path}/receipts").json())
    keys = written("jwks.json", service.http.get("/oauth2/jwks").json())
    told = cli("receipt", "check", bundle, "--jwks", keys)
    assert told.exit_code == 0, told.stderr
    assert "consent, anna: given to login" in told.stdout
    assert "consent, anna: withdrawn to login" in told.stdout
    assert "deletion, anna: erased login (withdrawn)" in told.stdout
    as_json = json.loads(cli("receipt", "check", bundle, "--jwks", keys, "--json").stdout)
    assert [one["kind"] for one in as_json] == ["consent", "consent", "deletion"]


def test_an_altered_one_and_another_kind_are_refused(cli: Cli, service: Service, written: Written) -> None:
    service.account()
    service.consent()
    (line,) = service.call("GET", "/v1/accounts/anna/consents").json()["consents"]
    head, body, tail = line["receipt"].split(".")
    keys = written("jwks.json", service.http.get("/oauth2/jwks").json())
    assert cli("receipt", "check", written("one", line["receipt"]), "--jwks", keys).exit_code == 0
    signer = service.installation.signer
    token = signer.sign({"sub": "anna"}, typ="JWT")
    for odd in (f"{head}.{body[:-2]}AA.{tail}", token, "nothing", ""):
        answer = cli("receipt", "check", written("odd", odd), "--jwks", keys)
        assert answer.exit_code == 1
        assert "not signed by these keys" in answer.stderr


def test_odd_files_are_told(cli: Cli, written: Written) -> None:
    for odd in ('{"receipts": []}', '{"receipts": [1]}', "{", "{}"):
        answer = cli("receipt", "check", written("odd", odd), "--jwks", written("k", {"keys": []}))
        assert answer.exit_code == 1
        assert len(answer.stderr.strip().splitlines()) == 1
    assert "cannot be read (No such file" in cli("receipt", "check", "not-here", "--jwks", "nor-this").stderr
    picture = written("picture", "")
    Path(picture).write_bytes(b"\xff\xd8")
    assert "it is no UTF-8 text" in cli("receipt", "check", picture, "--jwks", "nor-this").stderr


def test_the_installations_own_keys_are_taken_without_a_set(cli: Cli, home: Path, written: Written) -> None:
    assert cli("init").exit_code == 0
    answer = cli("receipt", "check", written("odd", "a.b.c"))
    assert answer.exit_code == 1
    assert "not signed by these keys" in answer.stderr
