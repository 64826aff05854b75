"""The rules of the house hold for the code, and each rule can fail."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import house

ROOT = house.PACKAGE.parent
Check = Callable[[str, str], list[str]]


def name(check: Check) -> str:
    return check.__name__.removeprefix("check_")


@pytest.mark.parametrize("check", house.CHECKS, ids=name)
def test_the_code_keeps_the_rule(check: Check) -> None:
    """R9, R24: of which no log line names a vector or a score; the others are STYLE's."""
    found = [line for path, text in house.modules() for line in check(path, text)]
    assert not found, "\n" + "\n".join(found)


BREACHES: list[tuple[Check, str, str]] = [
    (house.check_imports, "match/decide.py", "from faceauth.vault.references import ReferenceStore"),
    (house.check_imports, "match/decide.py", "import faceauth.vault.index"),
    (house.check_imports, "capture/faces.py", "from faceauth import liveness"),
    (house.check_imports, "vault/index.py", "def f():\n    from faceauth.pipeline import Pipeline"),
    (house.check_imports, "pipeline.py", "from faceauth.api.wire import Session"),
    (house.check_imports, "api/app.py", "from faceauth.cli import app"),
    (house.check_imports, "types.py", "from faceauth.errors import Denied"),
    (house.check_imports, "errors/root.py", "from fastapi import HTTPException"),
    (house.check_imports, "vault/index.py", "import typer"),
    (house.check_imports, "vault/index.py", "from . import keys"),
    (house.check_imports, "vault/index.py", "from tests.clocks import at"),
    (house.check_imports, "__init__.py", "from faceauth.pipeline import Pipeline"),
    (house.check_imports, "attic/box.py", ""),
    (house.check_makers, "pipeline.py", "live = LiveCapture('s', 'motion', ())"),
    (house.check_makers, "api/routes/sessions.py", "from faceauth import types\ntypes.Probe(vector=v)"),
    (house.check_makers, "vault/references.py", "ConsentGrant(tenant='t')"),
    (house.check_makers, "pipeline.py", "MatchDecision(tenant='t')"),
    (house.check_makers, "pipeline.py", "from faceauth.types import Probe as P"),
    (house.check_environment, "vault/keyring.py", "import os\nos.environ['KEY']"),
    (house.check_environment, "vault/keyring.py", "import os\nos.getenv('KEY')"),
    (house.check_environment, "vault/keyring.py", "from os import environ"),
    (house.check_sql, "pipeline.py", "from sqlalchemy import Connection, select"),
    (house.check_sql, "api/app.py", "import sqlalchemy as sa"),
    (house.check_sql, "api/app.py", "from sqlalchemy.orm import Session"),
    (house.check_sql, "api/app.py", "conn.exec_driver_sql('DELETE FROM audit_log')"),
    (house.check_sql, "vault/references.py", "conn.commit()"),
    (house.check_logs, "match/decide.py", "log.info('match.made', score=0.7)"),
    (house.check_logs, "match/decide.py", "log.info(f'{best_score}')"),
    (house.check_logs, "match/decide.py", "self._log.debug('probe', value=probe.vector)"),
    (house.check_logs, "match/decide.py", "structlog.get_logger(__name__).error('low cosine')"),
    (house.check_logs, "match/decide.py", "structlog.get_logger().bind(a=1).info('x', distance=1)"),
    (house.check_files, "vault/utils.py", ""),
    (house.check_files, "helpers/bytes.py", ""),
    (house.check_files, "vault/index.py", "x = 1\n" * (house.LONGEST_FILE + 1)),
]


@pytest.mark.parametrize(("check", "path", "text"), BREACHES)
def test_a_breach_is_found(check: Check, path: str, text: str) -> None:
    assert len(check(path, text)) == 1


KEPT: list[tuple[Check, str, str]] = [
    (
        house.check_imports,
        "match/decide.py",
        "from faceauth.types import Probe\nfrom faceauth.audit.log import AuditLog",
    ),
    (house.check_imports, "pipeline.py", "from faceauth.match import decide"),
    (house.check_imports, "cli/serve.py", "import uvicorn\nfrom faceauth.api.app import create_app"),
    (house.check_makers, "liveness/decision.py", "LiveCapture('s', 'motion', ())"),
    (house.check_makers, "pipeline.py", "from faceauth.types import Probe\ndef f(probe: Probe) -> None: ..."),
    (house.check_environment, "settings.py", "import os\nos.environ"),
    (house.check_sql, "pipeline.py", "from sqlalchemy import Connection"),
    (house.check_sql, "vault/references.py", "from sqlalchemy import select"),
    (house.check_logs, "pipeline.py", "log.info('session.decided', session_id=session_id, gate=gate)"),
    (house.check_logs, "match/decide.py", "decide(score=0.7)\nmath.log(score)"),
]


@pytest.mark.parametrize(("check", "path", "text"), KEPT)
def test_what_is_right_is_left_alone(check: Check, path: str, text: str) -> None:
    assert check(path, text) == []


def test_the_lists_name_files_that_exist() -> None:
    listed = house.REPOSITORIES | set(house.ENVIRONMENT)
    assert [path for path in sorted(listed) if not (house.PACKAGE / path).is_file()] == []


@pytest.mark.parametrize("lock", ["run.lock", "dev.lock"])
def test_a_lock_has_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    entries = text.replace("\\\n", " ").strip().splitlines()
    assert len(entries) > 50
    pinned = re.compile(r"[\w.-]+(\[\w+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}")
    assert [entry for entry in entries if not pinned.match(entry)] == []
    assert "://" not in text


def test_the_run_lock_is_part_of_the_dev_lock() -> None:
    """So that make demo after make test, or the other way round, changes no version."""

    def versions(lock: str) -> set[str]:
        text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
        return set(re.findall(r"^[\w.-]+(?:\[\w+\])?==[^\s;]+", text, re.MULTILINE))

    assert versions("run.lock") <= versions("dev.lock")


TEXTS = {".py", ".md", ".toml", ".json", ".yaml", ".html", ".js", ".css", ".svg", ".lock", ".txt", ""}
FOLDERS = ("faceauth", "tests", "docs", "benchmarks", "requirements", ".ci")
SOMEBODYS = re.compile(
    r"""(?<![\w.~}>-])/(?:home|root|Users|work|mnt)/[\w.]|file:///\w|https?://[^\s"']*/simple\b"""
)
"""A path of one machine, or the address of a package index."""


def test_no_file_names_somebodys_machine() -> None:
    inside = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts]
    files = [path for path in [*ROOT.iterdir(), *inside] if path.is_file() and path.suffix in TEXTS]
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in files
        for match in SOMEBODYS.finditer(path.read_text(encoding="utf-8"))
    ]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize("text", ["see ~home/anna", "'~root/.cache'", "https:~~index.example~simple~"])
def test_somebodys_machine_is_noticed(text: str) -> None:
    assert SOMEBODYS.search(text.replace("~", "/"))


def test_no_test_file_is_too_long() -> None:
    found = [line for path in sorted(Path(__file__).parent.rglob("*.py")) for line in check_length(path)]
    assert not found, "\n" + "\n".join(found)


def check_length(path: Path) -> list[str]:
    return house.check_files(path.name, path.read_text(encoding="utf-8"))
