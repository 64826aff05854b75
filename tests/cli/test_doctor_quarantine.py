"""`faceauth doctor` names references that do not open, marks them when told to, and lets in what opens again."""

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import insert, select, update

from faceauth.clock import system_clock
from faceauth.db.engine import Database
from faceauth.db.schema import accounts, biometric_references, live_consents
from faceauth.installation import create_installation, databases, read_keyring
from faceauth.settings import load_settings
from faceauth.types import ConsentGrant, Probe
from faceauth.vault.keys import KeyringProvider
from faceauth.vault.keystore import DataKeys
from faceauth.vault.references import ReferenceStore
from tests.cli.conftest import Cli


@pytest.fixture
def data(home: Path) -> Database:
    """An installation in which Anna has two references."""
    settings = load_settings()
    create_installation(settings)
    data, keys = databases(settings)
    now = system_clock()
    who = {"tenant": "default", "account": "anna"}
    consent = {"scenario": "login", "consent_id": "consent_1", "notice_version": 1}
    with data.begin() as conn:
        conn.execute(insert(accounts).values(**who, created_at=now))
        until = now + timedelta(days=1)
        conn.execute(insert(live_consents).values(**who, **consent, valid_until=until, granted_at=now))
        data_keys = DataKeys(keys, KeyringProvider(read_keyring(settings)), system_clock)
        store = ReferenceStore(
            data_keys, system_clock, lambda kind: f"{kind}_{np.random.default_rng().integers(2**60)}"
        )
        grant = ConsentGrant("default", "anna", "login", "consent_1", 1, now)
        parts = np.eye(2, 16, dtype=np.float32)
        store.add(
            conn, grant, Probe(parts[0], parts, b"m" * 32, "standard"), key=data_keys.current("default", "anna")
        )
    return data


def flip(data: Database) -> str:
    """Flip one bit of one reference, or flip it back, and return its id."""
    with data.begin() as conn:
        query = select(biometric_references.c.reference_id, biometric_references.c.sealed)
        name, sealed = conn.execute(query.order_by("reference_id").limit(1)).one()
        changed = sealed[:40] + bytes([sealed[40] ^ 1]) + sealed[41:]
        mine = biometric_references.c.reference_id == name
        conn.execute(update(biometric_references).where(mine).values(sealed=changed))
    return str(name)


def finding(cli: Cli, *options: str) -> tuple[str, str]:
    told = json.loads(cli("doctor", "--json", *options).stdout)["findings"]
    return next((one["state"], one["line"]) for one in told if one["name"] == "references")


def test_damage_is_named_marked_and_let_back_in(cli: Cli, data: Database) -> None:
    """R48: by its id, with what to do; nothing is deleted on the way."""
    assert finding(cli)[0] == "ok"
    name = flip(data)
    state, line = finding(cli)
    assert state == "problem"
    assert name in line
    assert "1 of 2 do not open" in line
    assert "quarantine" in line
    marked = cli("doctor", "--quarantine")
    assert marked.exit_code == 1
    assert f"1 in quarantine now: {name}" in marked.stderr
    assert "1 in quarantine" in finding(cli)[1]
    assert flip(data) == name
    state, line = finding(cli)
    assert (state, "open again" in line) == ("problem", True)
    assert f"1 back in use: {name}" in cli("doctor", "--quarantine").stderr
    assert finding(cli)[0] == "ok"
