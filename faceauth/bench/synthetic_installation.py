"""Fills a fresh installation with made-up people, sealed by the very code that seals real ones."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceauth.clock import Clock, system_clock
from faceauth.consent.builtin import LOGIN
from faceauth.consent.scenarios import ScenarioStore
from faceauth.db.bulk import Enrolled, SealedReference, insert_people
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.installation import create_installation, databases
from faceauth.settings import Settings
from faceauth.vault.keyring import KEY_BYTES, load_keyring
from faceauth.vault.keys import DataKey, KeyringProvider
from faceauth.vault.keystore import wrap_context
from faceauth.vault.sealing import SealContext, seal

SCENARIO = "door"
_PEOPLE_AT_ONCE = 5_000

Progress = Callable[[int, int], None]
"""Told how many references are stored, and of how many."""


def make_installation(
    folder: Path,
    rows: NDArray[np.float32],
    *,
    model_digest: bytes,
    per_account: int = 1,
    clock: Clock = system_clock,
    progress: Progress | None = None,
) -> Settings:
    """Make an installation in `folder` whose scenario `door` everybody agreed to.

    Args:
        folder: Where it is made; nothing may be there yet.
        rows: The references, shape (n, d), of unit length.
        model_digest: The model they are said to be of, 32 bytes.
        per_account: How many of them in a row are one person's.
        clock: The time now.
        progress: Is told how far it is.

    Returns:
        The settings that open it.
    """
    settings = Settings(data_dir=folder)
    create_installation(settings, clock=clock)
    data, keys = databases(settings)
    provider = KeyringProvider(load_keyring(settings.keyring_file))
    try:
        with data.begin() as conn:
            ScenarioStore(settings.consent).create(
                conn,
                tenant=DEFAULT_TENANT,
                scenario=SCENARIO,
                mode="identify",
                titles={"en": "A door"},
                retention_days=365,
                liveness_profile="motion",
                notices={"en": "Your face opens a door."},
                now=clock(),
            )
        at_once = _PEOPLE_AT_ONCE * per_account
        for start in range(0, len(rows), at_once):
            some = rows[start : start + at_once]
            insert_people(
                data,
                keys,
                _people(some, provider, scenario=SCENARIO, model_digest=model_digest, per_account=per_account),
                tenant=DEFAULT_TENANT,
                scenario=SCENARIO,
                model_digest=model_digest,
                now=clock(),
            )
            if progress is not None:
                progress(start + len(some), len(rows))
        data.truncate_wal()
        keys.truncate_wal()
    finally:
        data.dispose()
        keys.dispose()
    return settings


def enrol_alike(
    settings: Settings, vector: NDArray[np.float32], *, model_digest: bytes, count: int, scenario: str = LOGIN
) -> list[str]:
    """Add people who all look the same and agreed to one scenario, and return their accounts.

    Args:
        settings: Of an installation that is there.
        vector: Everybody's reference, shape (d,), of unit length.
        model_digest: The model it is of, 32 bytes.
        count: How many people.
        scenario: What they agreed to.
    """
    data, keys = databases(settings)
    provider = KeyringProvider(load_keyring(settings.keyring_file))
    accounts: list[str] = []
    try:
        for start in range(0, count, _PEOPLE_AT_ONCE):
            rows = np.tile(vector, (min(_PEOPLE_AT_ONCE, count - start), 1))
            people = list(_people(rows, provider, scenario=scenario, model_digest=model_digest, per_account=1))
            insert_people(
                data,
                keys,
                people,
                tenant=DEFAULT_TENANT,
                scenario=scenario,
                model_digest=model_digest,
                now=system_clock(),
            )
            accounts += [one.account for one in people]
    finally:
        data.dispose()
        keys.dispose()
    return accounts


def _people(
    rows: NDArray[np.float32], provider: KeyringProvider, *, scenario: str, model_digest: bytes, per_account: int
) -> Iterator[Enrolled]:
    for start in range(0, len(rows), per_account):
        account, consent, key_id = (f"{kind}_{os.urandom(16).hex()}" for kind in ("account", "consent", "key"))
        key = DataKey(key_id, DEFAULT_TENANT, account, 1, os.urandom(KEY_BYTES))
        references = []
        for row in rows[start : start + per_account]:
            reference = f"reference_{os.urandom(16).hex()}"
            context = SealContext(DEFAULT_TENANT, account, reference, scenario, consent, model_digest)
            references.append(SealedReference(reference, seal(row, key, context)))
        wrapped = provider.wrap(key.secret, context=wrap_context(DEFAULT_TENANT, account, key_id, 1))
        yield Enrolled(account, consent, key_id, wrapped, tuple(references))
