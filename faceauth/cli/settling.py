"""What `faceauth doctor --quarantine` does before it looks: marks follow what opens now."""

from contextlib import closing

from faceauth.cli.audit_log import open_log
from faceauth.cli.checks import open_every_reference
from faceauth.cli.console import note
from faceauth.clock import system_clock
from faceauth.db.upgrade import check
from faceauth.errors import SealBroken
from faceauth.installation import databases, keyring_place
from faceauth.settings import Settings
from faceauth.vault.keyring import bind_installation
from faceauth.vault.keystore import DataKeys
from faceauth.vault.quarantine import Quarantine, marked


def settle(settings: Settings) -> None:
    """Mark every reference that does not open, and take the mark from those that open again.

    Raises:
        KeyUnavailable: No key can be had; nothing was marked.
        StorageError: A database cannot be read or written.
    """
    data, keys = databases(settings)
    with closing(keyring_place(settings)) as place:
        try:
            keyring = place.load()
            check(data, keys)
            with data.begin() as conn:
                bind_installation(conn, keyring)
            data_keys = DataKeys(keys, place.provider(keyring), system_clock)
            opened, broken = open_every_reference(settings, data, data_keys)
            shelf = Quarantine(data, open_log(settings, keyring), system_clock)
            new = [one for one in sorted(broken) if shelf.mark(one, SealBroken("It does not open."), actor="cli")]
            with data.read() as conn:
                back = sorted(marked(conn, opened))
            for reference_id in back:
                shelf.release(reference_id, actor="cli")
        finally:
            data.dispose()
            keys.dispose()
    for told, ids in (("in quarantine now", new), ("back in use", back)):
        if ids:
            note(f"{len(ids)} {told}: {', '.join(ids)}")
