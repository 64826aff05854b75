"""Fetching a file over HTTPS: never by another scheme, never more than expected, resumed where it stopped."""

import hashlib
import http.client
import urllib.error
import urllib.request
from pathlib import Path
from typing import Protocol

from faceauth.embed.sources import Progress, silent
from faceauth.errors import ModelAltered, ModelError

MAX_BYTES = 1_000_000_000
"""Cap where the manifest names no size; the largest archive it names has 0.36 GB."""

_CHUNK = 1 << 18
_TIMEOUT_S = 60


class Response(Protocol):
    """What is used of an HTTP answer."""

    status: int
    url: str

    def getheader(self, name: str, default: str = ...) -> str:
        """Return a header."""
        ...

    def read(self, amount: int) -> bytes:
        """Read on; nothing at the end."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


class Opener(Protocol):
    """Opens an address from a byte on."""

    def __call__(self, url: str, *, start: int) -> Response:
        """Ask for `url` from byte `start` on."""
        ...


def _https_only() -> urllib.request.OpenerDirector:
    """Make an opener that knows no other scheme: a redirect to plain http ends in an error."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def open_https(url: str, *, start: int = 0) -> Response:
    """Open an https address; proxies and certificates are those of the environment.

    Raises:
        ModelError: It is not https, or cannot be opened.
    """
    if not url.startswith("https://"):
        raise ModelError("Models are fetched over https only.")
    request = urllib.request.Request(url, headers={"User-Agent": "faceauth"})  # noqa: S310  https was checked above
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        response: Response = _https_only().open(request, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if start and error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            # What is here reaches past the end of what is there now.
            return open_https(url)
        raise ModelError(f"{url} cannot be fetched (HTTP status {error.code}). Use --from DIR.") from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise ModelError(f"{url} cannot be fetched ({reason}). Check the network, or use --from DIR.") from error
    return response


def fetch(
    url: str,
    target: Path,
    *,
    expected_sha256: str,
    expected_size: int | None = None,
    opener: Opener = open_https,
    progress: Progress = silent,
) -> None:
    """Fetch one file; what an earlier try left in ``target.part`` is kept and continued.

    Args:
        url: Its address.
        target: Where it goes, once its digest was checked.
        expected_sha256: Its digest.
        expected_size: Its size in bytes, if known; more is refused while it comes.
        opener: Opens the address.
        progress: Is told how far it is.

    Raises:
        ModelError: The network failed; a second call continues.
        ModelAltered: The file is not the one expected; nothing is kept.
    """
    part = target.with_name(target.name + ".part")
    limit = expected_size or MAX_BYTES
    # What was left may be the whole file: a server has nothing to answer to a request from its end on.
    if _sha256(part) != expected_sha256:
        start = part.stat().st_size if part.is_file() else 0
        if start < limit:
            _append(url, part, start=start, limit=limit, opener=opener, progress=progress)
        if _sha256(part) != expected_sha256:
            part.unlink()
            raise ModelAltered(f"{url} is not the file the manifest names; it was thrown away.")
    part.replace(target)


def _sha256(path: Path) -> str | None:
    """Return a file's digest in hexadecimal; nothing if there is no such file."""
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _append(url: str, part: Path, *, start: int, limit: int, opener: Opener, progress: Progress) -> None:
    response = opener(url, start=start)
    try:
        if response.status != http.client.PARTIAL_CONTENT:
            start = 0
        length = response.getheader("Content-Length", "")
        total = start + int(length) if length.isdigit() else 0
        label = url.rsplit("/", 1)[-1]
        done = start
        with part.open("ab" if start else "wb") as stream:
            while chunk := response.read(_CHUNK):
                done += len(chunk)
                if done > limit:
                    raise ModelAltered(f"{url} is larger than the manifest says; refused.")
                stream.write(chunk)
                progress(label, done, total)
    except (OSError, http.client.HTTPException) as error:
        raise ModelError(f"{url} broke off ({error}). Run the command again to continue.") from error
    finally:
        response.close()
    if total and done < total:
        raise ModelError(f"{url} broke off. Run the command again to continue.")
