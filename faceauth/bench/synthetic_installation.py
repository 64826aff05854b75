"""Fills a fresh installation with made-up people, sealed by the very code that seals real ones."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from faceauth.clock import Clock, system_clock
from faceauth.consent.builtin import LOGIN
from faceauth.consent.scenarios import ScenarioStore
from faceauth.db.bulk import Enrolled, SealedReference, insert_faces, insert_people
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.errors import InvalidRequest
from faceauth.installation import Installation, create_installation, databases
from faceauth.settings import Settings
from faceauth.vault.keyring import KEY_BYTES, load_keyring
from faceauth.vault.keys import DataKey, KeyringProvider
from faceauth.vault.keystore import wrap_context
from faceauth.vault.sealing import SealContext, seal

SCENARIO = "door"
_PEOPLE_AT_ONCE = 5_000

_NOISE = 128
"""Numbers in a reference that is compared with nothing."""

Progress = Callable[[int, int], None]
"""Told how many references are stored, and of how many."""


class _Person(NamedTuple):
    account: str
    consent_id: str
    data_key_id: str


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


def enrol_agreed(place: Installation, accounts: Sequence[str], *, scenario: str = LOGIN) -> None:
    """Give each account, which has agreed to the scenario already, a key and a reference of noise.

    Args:
        place: An installation that is open.
        accounts: Whose consents are live.
        scenario: To what.
    """
    provider = KeyringProvider(place.keyring)
    model = place.pack.embedder.model_digest
    people: list[Enrolled] = []
    with place.data.read() as conn:
        for account in accounts:
            state = place.ledger.state(conn, DEFAULT_TENANT, account, scenario)
            if state is None:
                raise InvalidRequest(f"The account {account} never agreed.")
            noise = np.random.default_rng(len(people)).normal(size=_NOISE).astype(np.float32)
            row = noise / np.linalg.norm(noise)
            person = _Person(account, state.consent_id, f"key_{os.urandom(16).hex()}")
            people.append(_enrolled(person, [row], provider, scenario=scenario, model_digest=model))
    insert_faces(
        place.data,
        place.key_database,
        people,
        tenant=DEFAULT_TENANT,
        scenario=scenario,
        model_digest=model,
        now=place.clock(),
    )


def _people(
    rows: NDArray[np.float32], provider: KeyringProvider, *, scenario: str, model_digest: bytes, per_account: int
) -> Iterator[Enrolled]:
    for start in range(0, len(rows), per_account):
        person = _Person(*(f"{kind}_{os.urandom(16).hex()}" for kind in ("account", "consent", "key")))
        some = rows[start : start + per_account]
        yield _enrolled(person, some, provider, scenario=scenario, model_digest=model_digest)


def _enrolled(
    person: _Person,
    rows: Iterable[NDArray[np.float32]],
    provider: KeyringProvider,
    *,
    scenario: str,
    model_digest: bytes,
) -> Enrolled:
    key = DataKey(person.data_key_id, DEFAULT_TENANT, person.account, 1, os.urandom(KEY_BYTES))
    references = []
    for row in rows:
        reference = f"reference_{os.urandom(16).hex()}"
        context = SealContext(DEFAULT_TENANT, person.account, reference, scenario, person.consent_id, model_digest)
        references.append(SealedReference(reference, seal(row, key, context)))
    whose = wrap_context(DEFAULT_TENANT, person.account, person.data_key_id, 1)
    wrapped = provider.wrap(key.secret, context=whose)
    return Enrolled(person.account, person.consent_id, person.data_key_id, wrapped, tuple(references))
