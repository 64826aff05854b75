"""`faceauth models thresholds`: whether what decides is what was accepted, and accepting it as two people."""

from typing import Annotated

import typer

from faceauth.cli.approvals import named, say_waits, told
from faceauth.cli.audit_log import open_log
from faceauth.cli.console import Json, console, note, print_json
from faceauth.clock import system_clock
from faceauth.db.engine import Database
from faceauth.db.upgrade import check
from faceauth.embed.manifest import pack_spec
from faceauth.identity.approvals import Approvals
from faceauth.installation import databases, read_keyring
from faceauth.match.accepted import accepted
from faceauth.settings import Settings, load_settings
from faceauth.thresholds import Deciding
from faceauth.two_people import accept_thresholds
from faceauth.vault.enrolled import people_enrolled
from faceauth.vault.keyring import bind_installation

WHO = typer.Option("--by", help="Ask for them to be accepted, or accept what was approved; who you are.")


def thresholds(by: Annotated[str | None, WHO] = None, as_json: Json = False) -> None:
    """Say whether the packs in use decide by accepted thresholds; with --by, two people accept others."""
    settings, actor = load_settings(), None if by is None else named(by)
    data, keys = databases(settings)
    try:
        check(data, keys)
        if actor is None:
            _show(settings, data, as_json=as_json)
        else:
            _accept(settings, data, actor, as_json=as_json)
    finally:
        data.dispose()
        keys.dispose()


def waiting(settings: Settings, data: Database) -> list[tuple[Deciding, str]]:
    """Return the packs in use and how each differs from what was accepted; nothing differs while it may not."""
    names = [name for name in (settings.model_pack, settings.model_pack_before) if name]
    packs = [Deciding.of(pack_spec(name, settings.models_manifest)) for name in names]
    with data.read() as conn:
        known = accepted(conn)
        free = not known or not people_enrolled(conn)
    return [(one, "accepted" if free else one.differs(known)) for one in packs]


def _show(settings: Settings, data: Database, *, as_json: bool) -> None:
    found = waiting(settings, data)
    if as_json:
        print_json([{"pack": one.pack, "model_digest": one.model, "thresholds": how} for one, how in found])
        return
    for one, how in found:
        console().print(f"{one.pack}: {how}", markup=False)
    if any(how != "accepted" for _, how in found):
        note("Nothing is decided until two people accept them: faceauth models thresholds --by NAME")


def _accept(settings: Settings, data: Database, actor: str, *, as_json: bool) -> None:
    keyring = read_keyring(settings)
    audit = open_log(settings, keyring)
    with data.begin() as conn:
        bind_installation(conn, keyring)
    changed = [one for one, how in waiting(settings, data) if how != "accepted"]
    done = [
        accept_thresholds(one, data=data, approvals=Approvals(audit, system_clock), audit=audit, actor=actor)
        for one in changed
    ]
    if as_json:
        print_json([{"accepted": one.told is not None, **told(one.approval)} for one in done])
        return
    for one in done:
        if one.told is None:
            say_waits(one.approval)
        else:
            note(one.told)
    if not done:
        note("Nothing waits: the thresholds are the accepted ones.")
