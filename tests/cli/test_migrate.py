"""`faceauth migrate` says who has moved to the new model, and erases what is left when two people agree (R52)."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from faceauth.cli import app
from faceauth.consent.request import Affirmation, ConsentRequest
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.embed.manifest import pack_spec
from faceauth.installation import Installation, create_installation, open_installation
from faceauth.settings import load_settings
from faceauth.types import Probe

OLD, NEW = (pack_spec(name).model_digest() for name in ("opencv", "open"))


def migrate(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["migrate", *arguments])


def answer(word: str, by: str) -> Result:
    """Answer what was asked for last."""
    listed = CliRunner().invoke(app, ["approvals", "list", "--json"])
    approval_id = json.loads(listed.stdout)[0]["approval_id"]
    return CliRunner().invoke(app, ["approvals", word, approval_id, "--by", by])


def enrol(place: Installation, account: str, digest: bytes) -> None:
    """Store three references that a model might have made."""
    with place.data.begin() as conn:
        place.accounts.ensure(
            conn,
            tenant=DEFAULT_TENANT,
            account=account,
            locale="en",
            birth_date=None,
            contact=None,
            guardian=None,
            now=place.clock(),
        )
        notice = place.notices.current(conn, DEFAULT_TENANT, "login", place.clock())
    affirmation = Affirmation("checkbox", checked_by_default=False, text="Yes")
    request = ConsentRequest("login", notice.version, notice.texts["en"].sha256, "en", "given", affirmation)
    place.lifecycle.record_consent(tenant=DEFAULT_TENANT, account=account, request=request, actor="test")
    parts = np.eye(3, 128, dtype=np.float32)
    key = place.pipeline.keys.current(DEFAULT_TENANT, account)
    with place.data.begin() as conn:
        grant = place.pipeline.gate.ask(conn, tenant=DEFAULT_TENANT, account=account, scenario="login")
        place.references.add(conn, grant, Probe(parts[0], parts, digest, "motion"), key=key)


def test_nobody_there_and_a_pack_that_is_none(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither is told as a change that is finished."""
    create_installation(load_settings())
    assert "Nobody is enrolled." in migrate("status").stderr
    monkeypatch.setenv("FACEAUTH_MODEL_PACK_BEFORE", "retial")
    refused = migrate("status")
    assert refused.exit_code == 1
    assert "There is no model pack 'retial'" in refused.stderr


@pytest.fixture
def halfway(home: Path) -> Path:
    """Anna and Ben are enrolled with the pack before, Cleo with the one that decides."""
    settings = load_settings()
    create_installation(settings)
    place = open_installation(settings)
    for account, digest in (("anna", OLD), ("ben", OLD), ("cleo", NEW)):
        enrol(place, account, digest)
    place.close()
    return home


def counts() -> dict[str, tuple[int, int]]:
    told = json.loads(migrate("status", "--json").stdout)
    return {row["pack"]: (row["accounts"], row["references"]) for row in told["models"]}


def test_status_tells_who_has_moved(halfway: Path) -> None:
    assert halfway.is_dir()
    assert counts() == {"open": (1, 3), "opencv": (2, 6)}
    told = json.loads(migrate("status", "--json").stdout)
    assert (told["pack"], told["left"]) == ("open", 2)
    shown = migrate("status")
    assert "open (active)" in shown.stdout
    assert "Still to move: 2" in shown.stderr
    assert "anna" not in shown.output


def test_finish_erases_what_is_left(halfway: Path) -> None:
    """R40: by the vault's erasure, when a second person agreed; whoever has moved keeps their references."""
    asked = migrate("finish", "--pack", "opencv", "--by", "anna")
    assert asked.exit_code == 0, asked.output
    assert "6 references of 2 enrolments" in asked.stderr
    assert counts()["opencv"] == (2, 6)
    assert answer("approve", "ben").exit_code == 0
    done = migrate("finish", "--pack", "opencv", "--by", "anna")
    assert done.exit_code == 0, done.output
    assert "6 references erased." in done.stdout
    assert counts() == {"open": (1, 3)}
    assert "Everyone has moved." in migrate("status").stderr
    assert CliRunner().invoke(app, ["audit", "verify"]).exit_code == 0
    again = migrate("finish", "--pack", "opencv", "--by", "anna")
    assert again.exit_code == 0
    assert "Nothing is left of opencv." in again.stderr
    assert halfway.is_dir()


def test_one_person_erases_nothing(halfway: Path) -> None:
    """R52: not by asking again, not by approving it alone, and not after another refused; nor without a name."""
    finish = ("finish", "--pack", "opencv", "--by", "anna")
    assert migrate("finish", "--pack", "opencv").exit_code == 2
    for _ in range(2):
        assert "Asked for" in migrate(*finish).stderr
    assert answer("approve", "anna").exit_code == 1
    assert "Asked for" in migrate(*finish).stderr
    assert answer("reject", "ben").exit_code == 0
    assert "Asked for" in migrate(*finish).stderr
    assert counts()["opencv"] == (2, 6)
    assert halfway.is_dir()


def test_an_approval_is_used_once(halfway: Path) -> None:
    """R52: who enrols with that model afterwards is erased by another approval only."""
    finish = ("finish", "--pack", "opencv", "--by", "anna")
    migrate(*finish)
    answer("approve", "ben")
    assert "6 references erased." in migrate(*finish).stdout
    place = open_installation(load_settings())
    enrol(place, "dora", OLD)
    place.close()
    assert "Asked for" in migrate(*finish).stderr
    assert counts()["opencv"] == (1, 3)
    assert halfway.is_dir()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "FACEAUTH_MODEL_PACK_BEFORE"),
        (["--pack", "open"], "decides"),
        (["--pack", "nonesuch"], "no model pack"),
    ],
)
def test_finish_refuses_what_is_not_replaced(halfway: Path, arguments: list[str], says: str) -> None:
    refused = migrate("finish", "--by", "anna", *arguments)
    assert refused.exit_code == 1
    assert says in refused.stderr
    assert counts() == {"open": (1, 3), "opencv": (2, 6)}
    assert halfway.is_dir()


def test_the_setting_names_the_pack(halfway: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It must be installed to be served; without its files nothing opens, and nothing is erased."""
    monkeypatch.setenv("FACEAUTH_MODEL_PACK_BEFORE", "opencv")
    result = migrate("finish", "--by", "anna")
    if (Path(os.environ["FACEAUTH_MODELS_DIR"]) / "opencv").is_dir():
        assert result.exit_code == 0
    else:
        assert result.exit_code == 1
        assert "faceauth models install opencv" in result.stderr
        assert counts()["opencv"] == (2, 6)
    assert halfway.is_dir()
