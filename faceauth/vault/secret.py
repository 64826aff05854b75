"""Key bytes that do not show themselves, and that can be overwritten."""


class KeyBytes(bytearray):
    """The bytes of a key: hidden in `repr`, so also in logs and in tracebacks that show local variables.

    Python copies as it likes: what a cryptographic library, the JSON reader or an HTTP client holds of a key
    cannot be overwritten from here (docs/keys.md).
    """

    def __repr__(self) -> str:
        return "KeyBytes(hidden)"

    __str__ = __repr__

    def wipe(self) -> None:
        """Overwrite the bytes with zeros; the length stays, and the key is of no use afterwards."""
        self[:] = bytes(len(self))
