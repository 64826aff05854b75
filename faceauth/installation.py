"""One installation, put together from its settings: made once, then opened by whoever serves or inspects it."""

import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

from faceauth.assembly import Installation, Random, assemble
from faceauth.clock import Clock, system_clock
from faceauth.consent.scenarios import ScenarioStore
from faceauth.db.engine import Database
from faceauth.db.occupancy import Occupancy, occupy
from faceauth.db.schema import KEY_SCHEMA
from faceauth.db.tenants import DEFAULT_TENANT, ensure_tenant
from faceauth.db.upgrade import check, upgrade
from faceauth.embed.packs import Pack, load_pack
from faceauth.embed.passive_packs import load_if_installed
from faceauth.errors import ConfigurationError, KeyringMissing
from faceauth.settings import Settings
from faceauth.vault.journal import journal_of
from faceauth.vault.keyring import Keyring, bind_installation
from faceauth.vault.keyring_place import KeyringPlace
from faceauth.vault.providers.choose import choose_holder
from faceauth.vault.replay import complete_journal, destroy_returned, take_up

__all__ = [
    "Installation",
    "Random",
    "assemble",
    "create_installation",
    "databases",
    "keyring_place",
    "open_installation",
    "read_keyring",
]

Progress = Callable[[int, int], None]
"""Called with how many references are in the index, and of how many."""


def keyring_place(settings: Settings) -> KeyringPlace:
    """Return where the keyring is and who holds its keys; close it when done.

    Raises:
        ConfigurationError: the holder's settings are wrong, or its library is not installed.
    """
    return KeyringPlace(settings.keyring_file, settings.keys.provider, choose_holder(settings.keys))


def read_keyring(settings: Settings) -> Keyring:
    """Read the keyring, and let its holder go.

    Raises:
        ConfigurationError: as `keyring_place`.
        KeyUnavailable: it cannot be read, or not opened.
    """
    with closing(keyring_place(settings)) as place:
        return place.load()


def databases(settings: Settings) -> tuple[Database, Database]:
    """Return the data database and the key database of these settings, without touching them.

    Raises:
        ConfigurationError: the address is malformed.
    """
    data = Database(settings.database)
    if data.path is None:
        return data, Database(settings.database, schema=KEY_SCHEMA)
    return data, Database(f"sqlite:///{data.path.with_name(data.path.stem + '-keys.db')}")


def create_installation(settings: Settings, *, clock: Clock = system_clock, random: Random = os.urandom) -> None:
    """Make data folder, keyring, databases, the first tenant and its built-in scenario, where they are missing.

    Raises:
        KeyringMissing: there is a database but not its keyring; a new one would open nothing.
        KeyringForeign: the keyring belongs to another installation.
        StorageError: a folder or database cannot be written.
    """
    place = keyring_place(settings)
    data, keys = databases(settings)
    try:
        keyring = _keyring(place, data, clock=clock, random=random)
        upgrade(data, keys)
        with data.begin() as conn:
            bind_installation(conn, keyring)
            ensure_tenant(conn, tenant=DEFAULT_TENANT, now=clock())
            ScenarioStore(settings.consent).install_builtin(conn, tenant=DEFAULT_TENANT, now=clock())
        complete_journal(data, journal_of(settings, keys, keyring, clock))
    finally:
        data.dispose()
        keys.dispose()
        place.close()


def _keyring(place: KeyringPlace, data: Database, *, clock: Clock, random: Random) -> Keyring:
    if place.path.exists():
        return place.load()
    if data.path is not None and data.exists():
        raise KeyringMissing(
            f"There is a database but no keyring at {place.path}. Put the keyring back, or set "
            "FACEAUTH_KEYS__FILE."
        )
    return place.create(now=clock(), random=random)


def open_installation(
    settings: Settings,
    *,
    clock: Clock = system_clock,
    random: Random = os.urandom,
    progress: Progress | None = None,
    fill: bool = True,
) -> Installation:
    """Check keyring, databases and models, finish erasures that a crash cut short, and fill the index.

    Without `fill` the index is left to the caller: searches are refused until `installation.filling.run` ended.

    Raises:
        FaceauthError: whatever is wrong, in one line that says what to do.
    """
    place = keyring_place(settings)
    data, keys = databases(settings)
    occupancy: Occupancy | None = None
    try:
        keyring = place.load()
        check(data, keys)
        with data.begin() as conn:
            bind_installation(conn, keyring)
        occupancy = occupy(data, alone=False)
        journal = journal_of(settings, keys, keyring, clock)
        take_up(data, journal)
        pack, before = _packs(settings)
        installation = assemble(
            settings,
            data,
            keys,
            keyring,
            pack,
            before=before,
            passive=load_if_installed(settings.pad_pack, settings.models_dir, settings.models_manifest),
            place=place,
            clock=clock,
            random=random,
        )
        installation = replace(installation, occupancy=occupancy)
        installation.thresholds.settle(installation.audit)
        installation.erasure.resume()
        destroy_returned(data, journal, installation.data_keys)
        installation.index.hold()
        if fill:
            installation.filling.run(progress)
    except BaseException:
        data.dispose()
        keys.dispose()
        place.close()
        if occupancy is not None:
            occupancy.close()
        raise
    return installation


def _packs(settings: Settings) -> tuple[Pack, Pack | None]:
    """Load the pack, and the one it replaces if there is one."""

    def load(name: str) -> Pack:
        return load_pack(name, settings.models_dir, settings.models_manifest, settings.inference)

    pack = load(settings.model_pack)
    if not settings.model_pack_before:
        return pack, None
    before = load(settings.model_pack_before)
    if before.embedder.model_digest == pack.embedder.model_digest:
        raise ConfigurationError(
            f"FACEAUTH_MODEL_PACK_BEFORE: {before.name} makes the same embeddings as {pack.name}. "
            "Leave it unset: nobody has to be moved."
        )
    return pack, before
