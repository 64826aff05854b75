"""What stands between an old copy of a database and the service: nothing erased comes back (R43)."""

from collections.abc import Mapping

import structlog

from faceauth.db.copies import copy_mark
from faceauth.db.engine import Database
from faceauth.errors import RestoreNeeded
from faceauth.vault import tombstones
from faceauth.vault.journal import Journal, Noted, merged, noted_of
from faceauth.vault.keystore import DataKeys


def take_up(data: Database, journal: Journal) -> None:
    """Look, before serving, that nothing erased came back; note what one of the journal's places does not know.

    Raises:
        RestoreNeeded, StorageError, KeyringForeign: as `check_not_older` and `complete_journal`.
    """
    check_not_older(data, journal)
    complete_journal(data, journal)


def check_not_older(data: Database, journal: Journal) -> None:
    """Return if the data knows every erasure that the journal knows, and is no backup's copy.

    Raises:
        RestoreNeeded: It is older, and would bring back what was erased since.
        StorageError: The journal cannot be read.
        KeyringForeign: The journal is another installation's.
    """
    with data.read() as conn:
        mark, ids = copy_mark(conn), tombstones.every_id(conn)
    if mark is not None:
        raise RestoreNeeded(
            f"{data.place} is the copy of a backup ({mark}), so it cannot serve yet. Run: faceauth restore"
        )
    unknown = len(journal.known().keys() - ids)
    if unknown:
        raise RestoreNeeded(
            f"{data.place} is older than the key store or the journal: {unknown} erasures are missing in it. "
            "To replay them, run: faceauth restore"
        )


def complete_journal(data: Database, journal: Journal) -> int:
    """Note what the data knows and one of the journal's two places does not; return how many erasures that were.

    So it is after an upgrade from a version without a journal, and after one of the places was lost.

    Raises:
        StorageError: The journal cannot be written; then no erasure could be either.
    """
    journal.file.append()  # makes it, and finds out now whether it can be written
    in_file, in_keys = journal.file.read(), journal.in_keys()
    known = merged(in_file, in_keys)
    with data.read() as conn:
        for stone in tombstones.every(conn):
            known = merged(known, {stone.tombstone_id: noted_of(stone)})
    missing = [noted for name, noted in known.items() if in_file.get(name) != noted or in_keys.get(name) != noted]
    journal.note(*missing)
    return len(missing)


def destroy_returned(data: Database, journal: Journal, keys: DataKeys) -> tuple[str, ...]:
    """Destroy once more what an older copy of the key database brought back; return the ids of those keys.

    Unfinished erasures are to be resumed before, and those that stay so are left alone: survivors may still be
    sealed under their keys.

    Raises:
        StorageError: One cannot be destroyed.
    """
    with data.read() as conn:
        under_way = set(tombstones.unfinished(conn))
    known = {name: noted for name, noted in journal.known().items() if name not in under_way}
    returned = journal.present(_destroyed(known))
    for name in returned:
        keys.destroy(name)
    if returned:
        structlog.get_logger(__name__).warning("destroyed_keys_had_returned", count=len(returned))
    return returned


def _destroyed(known: Mapping[str, Noted]) -> set[str]:
    return {name for noted in known.values() for name in noted.data_keys}
