"""The keyring of a running service: read again when its file was exchanged, refused when it cannot be read."""

from threading import Lock

from joserfc.jwk import ECKey

from faceauth.errors import FaceauthError, KeyUnavailable
from faceauth.vault.keyring import Keyring, check_installation
from faceauth.vault.keyring_place import KeyringPlace


class WatchedSigningKeys:
    """The signing keys of a running service, as its keyring file has them now.

    While the keyring cannot be read, those that were read last go on: a withdrawal is receipted all the same, and
    a token is made for a decision only, which the key-encryption keys have to be there for.
    """

    def __init__(self, keyring: "WatchedKeyring", first: tuple[ECKey, ...]) -> None:
        self._keyring = keyring
        self._last = first

    def __call__(self) -> tuple[ECKey, ...]:
        """Return the keys; the first one signs."""
        try:
            self._last = self._keyring().signing_keys
        except KeyUnavailable:
            return self._last
        return self._last


class WatchedKeyring:
    """Returns the keyring as its file has it now, so that a rotation reaches every process without a restart.

    Looking costs one `stat`. Call it from any thread.

    Args:
        place: The keyring file, and who holds its keys.
        expected_installation: Whose keyring it must be, and stay.
    """

    def __init__(self, place: KeyringPlace, *, expected_installation: str) -> None:
        self._place = place
        self._path = place.path
        self._expected = expected_installation
        self._turn = Lock()
        self._known: tuple[tuple[int, int, int], Keyring] | None = None

    def __call__(self) -> Keyring:
        """Return the keyring.

        Raises:
            KeyUnavailable: If the file is gone, damaged, open to others or another installation's. What was read
                before is not used instead: whoever takes the keyring away means it.
        """
        try:
            status = self._path.stat()
        except OSError as error:
            raise KeyUnavailable(
                f"The keyring {self._path} cannot be reached ({error.strerror}): put it back."
            ) from error
        # The time of the last change of the file's node moves with its mode, too.
        mark = (status.st_ino, status.st_ctime_ns, status.st_size)
        known = self._known
        if known is not None and known[0] == mark:
            return known[1]
        with self._turn:
            try:
                keyring = self._place.load()
                check_installation(keyring, expected_installation=self._expected)
            except FaceauthError as error:
                raise KeyUnavailable(str(error)) from error
            # If the file was exchanged since the look, the mark is too old, and the next call reads again.
            self._known = (mark, keyring)
            return keyring
