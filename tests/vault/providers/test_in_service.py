"""A provider that is down, slow or answers nonsense denies, all the way from the device's post (R57)."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import select

from faceauth import pipeline as pipeline_module
from faceauth.db.schema import biometric_references, data_keys
from faceauth.errors import KeyUnavailable
from faceauth.types import Purpose
from faceauth.vault.providers.token import TokenKeks
from faceauth.vault.providers.transit import TransitKeks
from tests.clocks import HandClock
from tests.databases import Databases
from tests.service import Service, everybody_is_live, make_service
from tests.vault.providers import vault_double
from tests.vault.providers.holding import Holding, token, vault

PURPOSES: tuple[Purpose, ...] = ("verify", "enrol")


def enrolled_with(
    holding: Holding, databases: Databases, folder: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> Service:
    """Anna, enrolled in a service whose keys are held so."""
    monkeypatch.setattr(pipeline_module, "judge", everybody_is_live)
    place = holding.place(folder / "keyring")
    service = make_service(databases, place.create(now=clock()), folder, clock, place=place)
    service.agree()
    assert service.post(service.open("enrol")).state == "accepted"
    return service


def stored(service: Service) -> list[object]:
    """Every sealed reference and every wrapped key, as it lies there."""
    with service.installation.data.read() as conn:
        sealed = list(conn.execute(select(biometric_references).order_by("reference_id")))
    with service.installation.key_database.read() as conn:
        return [*sealed, *conn.execute(select(data_keys).order_by("data_key_id"))]


def everyone_is_denied(service: Service) -> None:
    """Neither a login nor an enrolment; the backend hears `unavailable`, and nothing is stored or changed."""
    before = stored(service)
    for purpose in PURPOSES:
        opened = service.open(purpose)
        assert service.post(opened).state == "denied"
        assert service.reason(opened) == ("denied", "unavailable")
    assert stored(service) == before


def test_away_denies_and_back_lets_in(
    holding: Holding,
    sqlite_database: Databases,
    tmp_path: Path,
    clock: HandClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service = enrolled_with(holding, sqlite_database, tmp_path, clock, monkeypatch)
    assert service.post(service.open("verify")).state == "accepted"
    if holding.settings.provider == "environment":
        (tmp_path / "keyring").rename(tmp_path / "away")  # what can go is the file that names the versions
        everyone_is_denied(service)
        (tmp_path / "away").rename(tmp_path / "keyring")
    else:
        holding.down()
        everyone_is_denied(service)
        holding.up()
    assert service.post(service.open("verify")).state == "accepted"


@pytest.fixture
def on_vault(
    double: vault_double.VaultDouble,
    sqlite_database: Databases,
    tmp_path: Path,
    clock: HandClock,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Service]:
    holding = vault(double)
    holding.settings.timeout_s = 20  # on a busy machine nothing but what hangs may take too long
    yield enrolled_with(holding, sqlite_database, tmp_path, clock, monkeypatch)
    holding.close()


@pytest.mark.parametrize(
    "mode", ["sealed", "forbidden", "html", "list", "few", "short", "base64", "refuses", "moved"]
)
def test_nonsense_denies(on_vault: Service, double: vault_double.VaultDouble, mode: str) -> None:
    """R57: also what looks right but is about too few, or a key too short; redirects are not followed."""
    double.mode = mode
    opened = on_vault.open("verify")
    assert on_vault.post(opened).state == "denied"
    assert on_vault.reason(opened) == ("denied", "unavailable")
    double.mode = "ok"
    assert on_vault.post(on_vault.open("verify")).state == "accepted"


def test_an_answer_of_another_version_is_not_stored(on_vault: Service, double: vault_double.VaultDouble) -> None:
    """R45: else the minimum could not be told from the record."""
    double.mode = "version"
    on_vault.agree("ben")
    opened = on_vault.open("enrol", "ben")
    assert on_vault.post(opened).state == "denied"
    assert on_vault.reason(opened) == ("denied", "unavailable")


def test_too_slow_denies(on_vault: Service, double: vault_double.VaultDouble) -> None:
    """R57, R59: nobody waits longer than the time-out, even while every thread of the holder hangs."""
    holder = on_vault.installation.place.holder
    assert isinstance(holder, TransitKeks)
    patient = holder._deadline._timeout_s
    double.mode, holder._deadline._timeout_s = "hangs", 0.1
    for _ in range(2):
        everyone_is_denied(on_vault)
    holder._deadline._timeout_s = patient
    double.mode = "ok"
    double.released.set()
    assert on_vault.post(on_vault.open("verify")).state == "accepted"


def test_a_key_exchanged_in_vault_opens_nothing(on_vault: Service, double: vault_double.VaultDouble) -> None:
    """R48, R57: of the same name and version. It looks like damage, so what was tried waits in quarantine."""
    double.keys["faceauth"]["versions"] = {1: bytes(32)}
    everyone_is_denied(on_vault)


def test_a_token_that_hangs_denies(softhsm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """R57: the library cannot be interrupted, so its thread is left behind and the caller goes on."""
    holding, released = token(softhsm), Event()
    holding.settings.timeout_s = 0.05
    holder = holding.place(tmp_path / "keyring").holder
    assert isinstance(holder, TokenKeks)
    monkeypatch.setattr(holder, "_opened", lambda **_: released.wait(10))
    for _ in range(2):
        with pytest.raises(KeyUnavailable, match=r"did not answer within 0\.05 s"):
            holder.versions()
    released.set()
    monkeypatch.undo()
    holding.close()
