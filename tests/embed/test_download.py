"""Fetching over real HTTPS from a server of our own on this machine: progress, digest, resuming, redirects."""

import http.server
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from faceauth.embed.download import fetch
from faceauth.embed.sources import sha256_hex
from faceauth.errors import ModelAltered, ModelError

DATA = bytes(range(256)) * 4096  # 1 MiB: several chunks of a download
HALF = len(DATA) // 2


@dataclass
class Site:
    """A server and what it was asked: from which byte on, each time."""

    url: str = ""
    breaks: list[int] = field(default_factory=list)
    """After how many bytes the next answers break off."""
    ranges: bool = True
    redirect: str = ""
    starts: list[int] = field(default_factory=list)


def handler(site: Site) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and site.ranges else 0
            site.starts.append(start)
            if self.path == "/moved":
                self.send_response(302)
                self.send_header("Location", site.redirect)
                self.end_headers()
                return
            if self.path != "/model.onnx" or start >= len(DATA):
                self.send_error(416 if start else 404)
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(DATA) - start))
            self.end_headers()
            end = site.breaks.pop(0) if site.breaks else len(DATA)
            self.wfile.write(DATA[start:end])
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1 that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    begin = datetime(2020, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=36500))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert, private = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return cert, private


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    cert, private = certificate(tmp_path)
    # OpenSSL's own variable: the client trusts this one certificate, by its ordinary checks.
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    made = Site()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(made))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, private)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    made.url = f"https://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


def get(site: Site, folder: Path, path: str = "/model.onnx", **options: Any) -> Path:
    target = folder / "model.onnx"
    fetch(f"{site.url}{path}", target, expected_sha256=sha256_hex(DATA), **options)
    return target


def test_whole_with_progress(site: Site, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    assert get(site, tmp_path, progress=lambda *one: told.append(one)).read_bytes() == DATA
    assert told[-1] == ("model.onnx", len(DATA), len(DATA))
    assert len(told) > 2
    assert not (tmp_path / "model.onnx.part").exists()


def test_continued_where_it_broke_off(site: Site, tmp_path: Path) -> None:
    """What came stays; the second call asks for the rest only."""
    site.breaks = [HALF]
    with pytest.raises(ModelError, match="again to continue"):
        get(site, tmp_path, expected_size=len(DATA))
    kept = (tmp_path / "model.onnx.part").stat().st_size
    assert 0 < kept <= HALF
    assert get(site, tmp_path, expected_size=len(DATA)).read_bytes() == DATA
    assert site.starts == [0, kept]


def test_server_that_knows_no_ranges_begins_again(site: Site, tmp_path: Path) -> None:
    site.breaks, site.ranges = [HALF], False
    with pytest.raises(ModelError):
        get(site, tmp_path)
    assert get(site, tmp_path).read_bytes() == DATA


@pytest.mark.parametrize("size", [None, len(DATA)])
def test_what_was_whole_already_is_not_asked_for(site: Site, tmp_path: Path, size: int | None) -> None:
    """The process ended between the last byte and the rename."""
    (tmp_path / "model.onnx.part").write_bytes(DATA)
    assert get(site, tmp_path, expected_size=size).read_bytes() == DATA
    assert site.starts == []


def test_rest_longer_than_the_file_is_fetched_anew(site: Site, tmp_path: Path) -> None:
    """A server answers 416 to a start past its end; the file is then fetched from its beginning."""
    (tmp_path / "model.onnx.part").write_bytes(b"x" * (len(DATA) + 5))
    assert get(site, tmp_path).read_bytes() == DATA
    assert site.starts == [len(DATA) + 5, 0]


def test_rest_of_another_file_is_thrown_away(site: Site, tmp_path: Path) -> None:
    (tmp_path / "model.onnx.part").write_bytes(b"x" * 1000)
    with pytest.raises(ModelAltered):
        get(site, tmp_path)
    assert get(site, tmp_path).read_bytes() == DATA


def test_missing_file_is_told(site: Site, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="HTTP status 404"):
        get(site, tmp_path, path="/other")


def test_redirect_is_followed_to_https_only(site: Site, tmp_path: Path) -> None:
    site.redirect = f"{site.url}/model.onnx"
    assert get(site, tmp_path, path="/moved").read_bytes() == DATA
    (tmp_path / "model.onnx").unlink()
    site.redirect = site.url.replace("https:", "http:") + "/model.onnx"
    with pytest.raises(ModelError):
        get(site, tmp_path, path="/moved")
    assert not (tmp_path / "model.onnx").exists()


def test_certificate_is_checked(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server whose certificate nobody vouches for is not asked."""
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    with pytest.raises(ModelError, match="cannot be fetched"):
        get(site, tmp_path)
