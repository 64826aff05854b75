"""One installation, put together from its settings: made once, then opened by whoever serves or inspects it."""

import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace

from faceauth.audit.log import AuditLog
from faceauth.audit.sinks import sink_of
from faceauth.capture.detect import build_detector
from faceauth.capture.faces import FaceReader
from faceauth.capture.guidance import DEFAULT as CAPTURE_PROFILE
from faceauth.capture.intake import make_intake
from faceauth.capture.session import SessionStore
from faceauth.clock import Clock, system_clock
from faceauth.consent.accounts import AccountStore
from faceauth.consent.gate import ConsentGate
from faceauth.consent.ledger import ConsentLedger
from faceauth.consent.notices import NoticeStore
from faceauth.consent.scenarios import ScenarioStore
from faceauth.db.engine import Database
from faceauth.db.occupancy import Occupancy, occupy
from faceauth.db.schema import KEY_SCHEMA
from faceauth.db.tenants import DEFAULT_TENANT, ensure_tenant
from faceauth.db.upgrade import check, upgrade
from faceauth.embed.packs import Pack, load_pack
from faceauth.embed.passive_packs import PassivePack, load_if_installed
from faceauth.errors import ConfigurationError, KeyringMissing
from faceauth.filling import IndexFilling
from faceauth.identity.apikeys import ApiKeys
from faceauth.identity.approvals import Approvals
from faceauth.identity.attempts import Attempts
from faceauth.identity.tokens import Tokens
from faceauth.lifecycle import Lifecycle
from faceauth.liveness.observations import Observations, Observer
from faceauth.liveness.passive_models import PassiveNetworks
from faceauth.pipeline import Pipeline
from faceauth.renewal import Renewal
from faceauth.sessions import SessionDesk
from faceauth.settings import Settings
from faceauth.signing import Signer
from faceauth.types import Detector
from faceauth.vault.destruction import Destruction
from faceauth.vault.erasure import Erasure
from faceauth.vault.index import ReferenceIndex, Sizes
from faceauth.vault.journal import Journal, journal_of
from faceauth.vault.keyring import Keyring, bind_installation
from faceauth.vault.keyring_place import KeyringPlace
from faceauth.vault.keystore import DataKeys
from faceauth.vault.providers.choose import choose_holder
from faceauth.vault.quarantine import Quarantine
from faceauth.vault.references import ReferenceStore
from faceauth.vault.replay import complete_journal, destroy_returned, take_up
from faceauth.vault.rotation import Rotation
from faceauth.vault.watched import WatchedKeyring

Random = Callable[[int], bytes]
Progress = Callable[[int, int], None]
"""Called with how many references are in the index, and of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """Everything that serves, wired once. Close it when done."""

    settings: Settings
    clock: Clock
    data: Database
    key_database: Database
    keyring: Keyring
    place: KeyringPlace
    signer: Signer
    audit: AuditLog
    accounts: AccountStore
    scenarios: ScenarioStore
    notices: NoticeStore
    ledger: ConsentLedger
    references: ReferenceStore
    index: ReferenceIndex
    erasure: Erasure
    rotation: Rotation
    destruction: Destruction
    approvals: Approvals
    apikeys: ApiKeys
    attempts: Attempts
    tokens: Tokens
    pack: Pack
    desk: SessionDesk
    pipeline: Pipeline
    lifecycle: Lifecycle
    journal: Journal
    data_keys: DataKeys
    filling: IndexFilling
    occupancy: Occupancy | None = None
    before: Pack | None = None
    passive: PassivePack | None = None

    def close(self) -> None:
        """Close the model packs and the databases."""
        self.pack.close()
        if self.before is not None:
            self.before.close()
        self.data.dispose()
        self.key_database.dispose()
        self.place.close()
        if self.occupancy is not None:
            self.occupancy.close()


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


def _detector(pack: Pack) -> Detector:
    return pack.detector or build_detector(pack.detector_kind, pack.detector_sessions, pack.detector_options)


def assemble(
    settings: Settings,
    data: Database,
    keys: Database,
    keyring: Keyring,
    pack: Pack,
    *,
    before: Pack | None = None,
    passive: PassivePack | None = None,
    place: KeyringPlace | None = None,
    clock: Clock = system_clock,
    random: Random = os.urandom,
) -> Installation:
    """Put the parts together; nothing is read or written yet. Without a place `keyring` wraps, as it is."""

    def new_id(prefix: str) -> str:
        return f"{prefix}_{random(16).hex()}"

    signer = Signer(keyring.signing_keys)
    audit = AuditLog(pseudonym_key=keyring.pseudonym_key, clock=clock, sink=sink_of(settings.audit))
    accounts, scenarios, notices = AccountStore(), ScenarioStore(settings.consent), NoticeStore()
    gate = ConsentGate(clock)
    ledger = ConsentLedger(signer=signer, consent=settings.consent, clock=clock, new_id=new_id)
    watched: Callable[[], Keyring] | Keyring = keyring
    if place is None:
        place = KeyringPlace(settings.keyring_file)
    else:
        watched = WatchedKeyring(place, expected_installation=keyring.installation_id)
    data_keys = DataKeys(keys, place.provider(watched, random=random), clock, random)
    quarantine = Quarantine(data, audit, clock)
    references = ReferenceStore(data_keys, clock, new_id, quarantine=quarantine)
    index = ReferenceIndex(settings.index.engine, sizes=Sizes(depth=settings.index.nominated))
    journal = journal_of(settings, keys, keyring, clock)
    erasure = Erasure(
        data=data,
        keys=data_keys,
        index=index,
        journal=journal,
        signer=signer,
        audit=audit,
        clock=clock,
        new_id=new_id,
    )
    renewal = None
    if before is not None:
        renewal = Renewal(
            detector=_detector(before),
            embedder=before.embedder,
            references=references,
            erasure=erasure,
            audit=audit,
        )
    attempts = Attempts(clock)
    tokens = Tokens(signer, settings.issuer, clock)
    sessions = SessionStore()
    desk = SessionDesk(
        data=data,
        accounts=accounts,
        scenarios=scenarios,
        gate=gate,
        sessions=sessions,
        attempts=attempts,
        tokens=tokens,
        audit=audit,
        settings=settings.sessions,
        clock=clock,
        random=random,
    )
    pipeline = Pipeline(
        data=data,
        keys=data_keys,
        scenarios=scenarios,
        gate=gate,
        sessions=sessions,
        intake=make_intake(keyring.replay_key, audit=audit, clock=clock, random=random),
        attempts=attempts,
        reader=FaceReader(
            _detector(pack),
            pack.embedder.template,
            replace(CAPTURE_PROFILE, min_eye_distance=settings.capture.min_eye_distance),
        ),
        embedder=pack.embedder,
        references=references,
        index=index,
        audit=audit,
        settings=settings,
        clock=clock,
        random=random,
        renewal=renewal,
        passive=None if passive is None else PassiveNetworks(passive.networks),
        observer=_observer(settings, data, clock, random),
    )
    lifecycle = Lifecycle(
        data=data,
        accounts=accounts,
        scenarios=scenarios,
        ledger=ledger,
        references=references,
        erasure=erasure,
        audit=audit,
        clock=clock,
    )
    return Installation(
        settings=settings,
        clock=clock,
        data=data,
        key_database=keys,
        keyring=keyring,
        place=place,
        signer=signer,
        audit=audit,
        accounts=accounts,
        scenarios=scenarios,
        notices=notices,
        ledger=ledger,
        references=references,
        index=index,
        erasure=erasure,
        rotation=Rotation(place=place, data=data, keys=keys, audit=audit, random=random),
        destruction=Destruction(place=place, data=data, keys=keys, audit=audit),
        approvals=Approvals(audit, clock, random),
        apikeys=ApiKeys(clock, random),
        attempts=attempts,
        tokens=tokens,
        pack=pack,
        desk=desk,
        pipeline=pipeline,
        lifecycle=lifecycle,
        journal=journal,
        data_keys=data_keys,
        filling=IndexFilling(
            data=data,
            keys=data_keys,
            scenarios=scenarios,
            index=index,
            models={one.embedder.model_digest for one in (pack, before) if one is not None},
            quarantine=quarantine,
        ),
        before=before,
        passive=passive,
    )


def _observer(settings: Settings, data: Database, clock: Clock, random: Random) -> Observer | None:
    if not settings.liveness.observe:
        return None
    return Observer(data, Observations(random=random, days=settings.liveness.observe_days), clock)
