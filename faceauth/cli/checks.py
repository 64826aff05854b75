"""What `faceauth doctor` looks at: one small check each, which finds nothing or says what to do."""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from faceauth.cli import passive, watching
from faceauth.cli.findings import Finding
from faceauth.cli.measured import measured_pack
from faceauth.cli.thresholds import waiting
from faceauth.clock import Clock, system_clock
from faceauth.consent.scenarios import ScenarioStore
from faceauth.db.engine import Database
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.db.upgrade import check as check_revision
from faceauth.embed.install import verify
from faceauth.embed.manifest import pack_spec
from faceauth.errors import ApprovalRequired, FaceauthError
from faceauth.installation import databases, keyring_place
from faceauth.settings import Settings, unknown_variables
from faceauth.vault.journal import Journal, journal_of
from faceauth.vault.keyring import Keyring, bind_installation
from faceauth.vault.keyring_place import KeyringPlace
from faceauth.vault.keystore import DataKeys
from faceauth.vault.quarantine import marked
from faceauth.vault.references import ReferenceStore
from faceauth.vault.replay import check_not_older
from faceauth.vault.tombstones import load, unfinished

LITTLE_SPACE: Final = 500_000_000
"""Bytes free below which a warning is due. Own figure: a database that cannot grow refuses every login."""


A_WHILE: Final = timedelta(minutes=2)
"""How old an unfinished erasure may be before it is a problem (own figure): by then it was tried again."""


def examine(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """Yield what every check finds; a check that cannot be made for want of an earlier one is left out."""
    yield from _variables()
    yield from _folder(settings)
    yield _space(settings.data_dir)
    yield _pack(settings, "model pack", settings.model_pack)
    if settings.model_pack_before:
        yield _pack(settings, "pack before", settings.model_pack_before)
    if settings.inference.provider != "cpu":
        yield _provider(settings)
    try:
        place = keyring_place(settings)
    except FaceauthError as error:
        yield Finding("keyring", "problem", str(error))
        return
    try:
        keyring: Keyring | None = None
        try:
            keyring = place.load()
            yield from _keyring(settings, place, keyring, clock)
        except FaceauthError as error:
            yield Finding("keyring", "problem", str(error))
        yield from _stored(settings, place, keyring, clock)
    finally:
        place.close()


def _stored(settings: Settings, place: KeyringPlace, keyring: Keyring | None, clock: Clock) -> Iterator[Finding]:
    try:
        data, keys = databases(settings)
    except FaceauthError as error:
        yield Finding("database", "problem", str(error))
        return
    try:
        opened = None if keyring is None else DataKeys(keys, place.provider(keyring), clock)
        yield from _databases(settings, data, keys, keyring, opened, clock)
    finally:
        data.dispose()
        keys.dispose()


def _variables() -> Iterator[Finding]:
    for name, nearest in unknown_variables().items():
        meant = f" Did you mean {nearest}?" if nearest else ""
        yield Finding("settings", "warning", f"{name} is set and is no setting.{meant} See docs/settings.md.")


def _folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir.absolute()
    if not folder.is_dir():
        yield Finding("data folder", "problem", f"{folder} is not there. Run: faceauth init")
        return
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        yield Finding("data folder", "problem", f"{folder} cannot be written ({error.strerror}). Check its owner.")
        return
    if folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield Finding("data folder", "warning", f"Others may look into {folder}. Run: chmod 700 {folder}")
    else:
        yield Finding("data folder", "ok", f"{folder}, for its owner only")


def _space(folder: Path) -> Finding:
    there = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.is_dir())
    free = shutil.disk_usage(there).free
    line = f"{free / 1e9:.1f} GB free at {there}"
    if free < LITTLE_SPACE:
        return Finding("disk", "warning", f"Only {line}. Make room: a full disk refuses every login.")
    return Finding("disk", "ok", line)


def _pack(settings: Settings, which: str, name: str) -> Finding:
    try:
        spec = pack_spec(name, settings.models_manifest)
        problems = verify(name, settings.models_dir, settings.models_manifest)
    except FaceauthError as error:
        return Finding(which, "problem", str(error))
    if problems:
        told = f"{name} in {settings.models_dir}: {' '.join(problems)} Run: faceauth models install {name}"
        return Finding(which, "problem", told)
    return Finding(which, "ok", f"{name}, every file as in the manifest; licence: {spec.licence}")


def _provider(settings: Settings) -> Finding:
    """Load the pack where it is to run: what an accelerator lacks shows only then."""
    try:
        measured_pack(settings).close()
    except FaceauthError as error:
        return Finding("provider", "problem", str(error))
    return Finding("provider", "ok", f"{settings.inference.provider} runs the embedder of {settings.model_pack}")


def _keyring(settings: Settings, place: KeyringPlace, keyring: Keyring, clock: Clock) -> Iterator[Finding]:
    file, folder = settings.keyring_file.absolute(), settings.data_dir.absolute()
    if folder in file.parents:
        line = f"{file} lies in the data folder: a copy of it opens itself. Move it and set FACEAUTH_KEYS__FILE."
        yield Finding("keyring", "warning", line)
    else:
        yield Finding("keyring", "ok", f"{file}, for its owner only, version {keyring.active}")
    if place.holder is not None:
        if keyring.active not in place.versions(keyring):
            line = f"{place.provider_name} has no version {keyring.active}, the active one: bring it back."
            yield Finding("keys", "problem", line)
        else:
            yield Finding("keys", "ok", f"held by {place.provider_name}, which opened the keyring just now")
    now = clock()
    if now < keyring.created_at:
        line = f"It is {now:%Y-%m-%d %H:%M} UTC here, before the keyring was made. Set the machine's clock."
        yield Finding("clock", "problem", line)
    else:
        yield Finding("clock", "ok", f"{now:%Y-%m-%d %H:%M} UTC")


def _databases(  # noqa: PLR0917  all that its checks lean on
    settings: Settings,
    data: Database,
    keys: Database,
    keyring: Keyring | None,
    data_keys: DataKeys | None,
    clock: Clock,
) -> Iterator[Finding]:
    missing = [one.place for one in (data, keys) if not one.exists()]
    if missing:
        yield Finding("database", "problem", f"{missing[0]} is not there. Run: faceauth init")
        return
    # Each leans on the one before: tables that are not there cannot be asked who they belong to.
    steps: list[tuple[str, Callable[[], str]]] = [("database", lambda: _revision(data, keys))]
    if keyring is not None and data_keys is not None:
        steps += [
            ("installation", lambda: _owner(data, keyring)),
            ("erasures", lambda: _erasures(data, clock)),
            ("journal", lambda: _journal(data, journal_of(settings, keys, keyring, clock))),
            (
                "references",
                lambda: _references(settings, data, data_keys),
            ),
            ("passive models", lambda: _passive_models(settings, data)),
            ("thresholds", lambda: _thresholds(settings, data)),
        ]
    for name, step in steps:
        try:
            yield Finding(name, "ok", step())
        except FaceauthError as error:
            yield Finding(name, "problem", str(error))
            return
    yield watching.incidents(data, clock())
    yield watching.notices(data, settings.consent)
    yield watching.receipts(settings.consent)
    yield watching.enrolment(data)


class _WrongError(FaceauthError):
    """Something is wrong that no error of the rooms stands for."""


def _revision(data: Database, keys: Database) -> str:
    check_revision(data, keys)
    return f"{data.place} and its keys, of this version"


def _owner(data: Database, keyring: Keyring) -> str:
    with data.read() as conn:
        bind_installation(conn, keyring)
    return f"{keyring.installation_id[:8]}, keyring and database belong together"


def _passive_models(settings: Settings, data: Database) -> str:
    with data.read() as conn:
        asked_by = passive.asking(conn, ScenarioStore(settings.consent))
    if found := passive.problem(settings, asked_by):
        raise _WrongError(found)
    told = f"asked for by {', '.join(asked_by)}" if asked_by else "no scenario asks for them"
    return f"{settings.pad_pack}, {told}" if passive.is_there(settings) else f"not installed; {told}"


def _erasures(data: Database, clock: Clock) -> str:
    with data.read() as conn:
        left = unfinished(conn)
        oldest = load(conn, left[0]) if left else None
    if oldest is None:
        return "none unfinished"
    told = f"{len(left)} unfinished, the oldest since {oldest.requested_at:%Y-%m-%d %H:%M} UTC at {oldest.state}"
    if clock() - oldest.requested_at < A_WHILE:
        return f"{told}: under way"
    raise _WrongError(
        f"{told}. A running service goes on with them twice a minute, and its log says what stops them; "
        "otherwise: faceauth serve"
    )


def _journal(data: Database, journal: Journal) -> str:
    check_not_older(data, journal)
    if journal.file.since() is None:
        raise _WrongError(f"There is no {journal.file.path}. It is written again by: faceauth serve")
    return f"{journal.file.path}, {len(journal.file.read())} erasures noted"


def _references(settings: Settings, data: Database, keys: DataKeys) -> str:
    opened, broken = open_every_reference(settings, data, keys)
    with data.read() as conn:
        shut = marked(conn)
    again = sorted(shut & opened)
    if broken:
        total = len(opened) + len(broken)
        kept = f"; {len(shut & broken)} in quarantine" if shut else ""
        raise _WrongError(
            f"{len(broken)} of {total} do not open ({_some(sorted(broken))}){kept}. Nothing was deleted: restore "
            "a backup, or let these people enrol again; then run: faceauth doctor --quarantine"
        )
    if again:
        raise _WrongError(
            f"{len(again)} in quarantine open again ({_some(again)}). Let them in: faceauth doctor --quarantine"
        )
    return f"{len(opened)} sealed, and every one opens" if opened else "none stored"


def _some(ids: Sequence[str]) -> str:
    return ", ".join(ids[:3]) + (" …" if len(ids) > 3 else "")


def open_every_reference(settings: Settings, data: Database, keys: DataKeys) -> tuple[set[str], set[str]]:
    """Return the ids of the references that open, and of those that do not; nothing is kept of either.

    Raises:
        KeyUnavailable: No key can be had.
    """
    opened: set[str] = set()
    broken: set[str] = set()
    store = ReferenceStore(
        keys,
        clock=system_clock,
        new_id=lambda prefix: prefix,
        random=os.urandom,
        report=lambda reference_id, _: broken.add(reference_id),
    )
    with data.read() as conn:
        for scenario in ScenarioStore(settings.consent).list(conn, DEFAULT_TENANT):
            for reference in store.open_scenario(conn, tenant=DEFAULT_TENANT, scenario=scenario.scenario):
                opened.add(reference.reference_id)
    return opened, broken


def _thresholds(settings: Settings, data: Database) -> str:
    others = [one.pack for one, how in waiting(settings, data) if how != "accepted"]
    if others:
        raise ApprovalRequired(
            f"{', '.join(others)} has thresholds that two people did not accept, so nothing is decided. "
            "Run: faceauth models thresholds --by NAME"
        )
    return "as they were accepted"
