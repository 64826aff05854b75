"""All parts of one installation, wired once; `faceauth.installation` makes and opens what they stand on."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

from faceauth.audit.log import AuditLog
from faceauth.audit.sinks import sink_of
from faceauth.capture.detect import build_detector
from faceauth.capture.faces import FaceReader
from faceauth.capture.guidance import DEFAULT as CAPTURE_PROFILE
from faceauth.capture.intake import make_intake
from faceauth.capture.session import SessionStore
from faceauth.charging import Charging
from faceauth.clock import Clock, system_clock
from faceauth.comparing import Comparing
from faceauth.consent.accounts import AccountStore
from faceauth.consent.gate import ConsentGate
from faceauth.consent.ledger import ConsentLedger
from faceauth.consent.notices import NoticeStore
from faceauth.consent.scenarios import ScenarioStore
from faceauth.db.engine import Database
from faceauth.db.occupancy import Occupancy
from faceauth.embed.packs import Pack
from faceauth.embed.passive_packs import PassivePack
from faceauth.filling import IndexFilling
from faceauth.identity.apikeys import ApiKeys
from faceauth.identity.approvals import Approvals
from faceauth.identity.attempts import Attempts
from faceauth.identity.attestation_roots import read_roots
from faceauth.identity.devices import DeviceKeys
from faceauth.identity.limits import LIMITS
from faceauth.identity.places import Places
from faceauth.identity.tokens import Tokens
from faceauth.identity.webauthn_keys import RelyingParty, relying_party
from faceauth.lifecycle import Lifecycle
from faceauth.liveness.observations import Observations, Observer
from faceauth.liveness.passive_models import PassiveNetworks
from faceauth.pipeline import Pipeline
from faceauth.proving import Proving
from faceauth.refusing import Refusing
from faceauth.renewal import Renewal
from faceauth.sameness import Sameness
from faceauth.sessions import SessionDesk
from faceauth.settings import Settings
from faceauth.signing import Signer
from faceauth.thresholds import Deciding, Thresholds
from faceauth.types import Detector
from faceauth.vault.decoys import Decoys
from faceauth.vault.destruction import Destruction
from faceauth.vault.erasure import Erasure
from faceauth.vault.index import ReferenceIndex, Sizes
from faceauth.vault.journal import Journal, journal_of
from faceauth.vault.keyring import Keyring
from faceauth.vault.keyring_place import KeyringPlace
from faceauth.vault.keystore import DataKeys
from faceauth.vault.quarantine import Quarantine
from faceauth.vault.references import ReferenceStore
from faceauth.vault.rotation import Rotation
from faceauth.vault.watched import WatchedKeyring, WatchedSigningKeys

Random = Callable[[int], bytes]


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
    devices: DeviceKeys
    relying_party: RelyingParty
    pack: Pack
    desk: SessionDesk
    pipeline: Pipeline
    lifecycle: Lifecycle
    journal: Journal
    data_keys: DataKeys
    filling: IndexFilling
    thresholds: Thresholds
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

    watched: Callable[[], Keyring] | Keyring = keyring
    signer = Signer(keyring.signing_keys)
    if place is not None:
        watched = WatchedKeyring(place, expected_installation=keyring.installation_id)
        signer = Signer(WatchedSigningKeys(watched, keyring.signing_keys))
    audit = AuditLog(pseudonym_key=keyring.pseudonym_key, clock=clock, sink=sink_of(settings.audit))
    accounts, scenarios, notices = AccountStore(), ScenarioStore(settings.consent), NoticeStore()
    gate = ConsentGate(clock, minimum_age=settings.consent.minimum_age)
    ledger = ConsentLedger(signer=signer, consent=settings.consent, clock=clock, new_id=new_id)
    place = place or KeyringPlace(settings.keyring_file)
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
    limits = LIMITS[settings.attempts.profile]
    attempts = Attempts(clock, limits.account, limits.qualifying)
    connections = settings.attempts.network == "connection"
    sameness = Sameness(data, Decoys(data_keys, references))
    thresholds = Thresholds(data, [Deciding.of(one) for one in (pack, before) if one is not None])
    charging = Charging(attempts, Places(clock, keyring.replay_key, limits.places, connections=connections))
    tokens = Tokens(signer, settings.issuer, clock)
    sessions, devices = SessionStore(), DeviceKeys()
    party = relying_party(
        settings.issuer,
        rp_id=settings.devices.rp_id,
        origins=tuple(settings.devices.origins),
        name=settings.consent.controller,
        roots=read_roots(settings.devices.attestation_roots),
    )
    desk = SessionDesk(
        data=data,
        accounts=accounts,
        scenarios=scenarios,
        gate=gate,
        sessions=sessions,
        attempts=attempts,
        places=charging.places,
        tokens=tokens,
        audit=audit,
        settings=settings.sessions,
        clock=clock,
        random=random,
    )
    proving = Proving(
        data=data, scenarios=scenarios, devices=devices, relying_party=party, audit=audit, clock=clock
    )
    pipeline = Pipeline(
        data=data,
        keys=data_keys,
        scenarios=scenarios,
        gate=gate,
        sessions=sessions,
        intake=make_intake(keyring.replay_key, audit=audit, clock=clock, random=random),
        charging=charging,
        comparing=Comparing(
            data=data,
            gate=gate,
            references=references,
            index=index,
            embedder=pack.embedder,
            sameness=sameness,
            thresholds=thresholds,
            renewal=renewal,
        ),
        sameness=sameness,
        proving=proving,
        refusing=Refusing(
            data=data, sessions=sessions, charging=charging, proving=proving, audit=audit, clock=clock
        ),
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
        devices=devices,
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
        devices=devices,
        relying_party=party,
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
        thresholds=thresholds,
        before=before,
        passive=passive,
    )


def _observer(settings: Settings, data: Database, clock: Clock, random: Random) -> Observer | None:
    if not settings.liveness.observe:
        return None
    return Observer(data, Observations(random=random, days=settings.liveness.observe_days), clock)
