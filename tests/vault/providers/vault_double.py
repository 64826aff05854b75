"""A double of HashiCorp Vault's transit engine: AES-256-GCM over HTTP, and the ways in which it can fail.

It keeps what the API's documentation says of versions, minimum versions, trimming, associated data and batches
(https://developer.hashicorp.com/vault/api-docs/secret/transit). It is not Vault.
"""

import json
import os
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TOKEN = "s.made-up-token"
Answer = tuple[int, Any]


class VaultDouble:
    """The engine's state; `mode` makes it fail, and `requests` keeps each path with its body."""

    def __init__(self) -> None:
        self.keys: dict[str, dict[str, Any]] = {}
        self.mode = "ok"
        self.released = Event()
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.url = ""

    def create(self, name: str, **settings: Any) -> None:
        """Make a key, as an administrator may do beforehand."""
        self.keys[name] = {
            "type": settings.get("type", "aes256-gcm96"),
            "exportable": settings.get("exportable", False),
            "allow_plaintext_backup": settings.get("allow_plaintext_backup", False),
            "min_decryption_version": 1,
            "min_encryption_version": 0,
            "min_available_version": 0,
            "versions": {1: os.urandom(32)},
        }

    def answer(self, method: str, path: str, body: dict[str, Any], token: str) -> Answer:
        """Return status and JSON body, as Vault would."""
        if self.mode == "sealed":
            return 503, {"errors": ["Vault is sealed"]}
        if token != TOKEN or self.mode == "forbidden":
            return 403, {"errors": ["permission denied"]}
        _, mount, act, name, *rest = path.strip("/").split("/")
        if mount != "transit":
            return 404, {"errors": ["no handler for route"]}
        if act == "keys":
            return self._key(method, name, rest, body)
        key = self.keys.get(name)
        if key is None:
            return 400, {"errors": ["encryption key not found"]}
        each = self._encrypt if act == "encrypt" else self._decrypt
        results = [each(key, item) for item in body["batch_input"]]
        if self.mode == "few":
            results = results[1:]
        # A batch of which a part failed answers 400, unless partial_failure_response_code says otherwise.
        return (400 if any("error" in one for one in results) else 200), {"data": {"batch_results": results}}

    def _key(self, method: str, name: str, rest: list[str], body: dict[str, Any]) -> Answer:
        if method == "POST" and not rest:
            self.create(name, **body)
            return 204, None
        key = self.keys.get(name)
        if key is None:
            return 404, {"errors": []}
        if rest == ["rotate"]:
            key["versions"][max(key["versions"]) + 1] = os.urandom(32)
        elif rest == ["config"]:
            key.update({field: value for field, value in body.items() if field.startswith("min_")})
        elif rest == ["trim"]:
            wanted = body["min_available_version"]
            if not key["min_encryption_version"] or wanted > min(
                key["min_encryption_version"], key["min_decryption_version"]
            ):
                return 400, {"errors": ["minimum available version cannot be set"]}
            key["min_available_version"] = wanted
            key["versions"] = {number: kek for number, kek in key["versions"].items() if number >= wanted}
        else:
            told = {field: value for field, value in key.items() if field != "versions"}
            latest = {"latest_version": max(key["versions"])}
            return 200, {"data": {**told, **latest, "keys": {str(number): 0 for number in key["versions"]}}}
        return 200, {"data": {}}

    def _encrypt(self, key: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
        version = item.get("key_version") or max(key["versions"])
        if version not in key["versions"] or version < key["min_encryption_version"]:
            return {"error": "requested version for encryption is less than the minimum encryption key version"}
        nonce = os.urandom(12)
        sealed = AESGCM(key["versions"][version]).encrypt(
            nonce, b64decode(item["plaintext"]), b64decode(item.get("associated_data", ""))
        )
        said = version + 1 if self.mode == "version" else version
        return {"ciphertext": f"vault:v{said}:{b64encode(nonce + sealed).decode()}", "key_version": said}

    def _decrypt(self, key: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
        _, version, text = item["ciphertext"].split(":")
        number = int(version[1:])
        if number < key["min_decryption_version"] or number not in key["versions"]:
            return {"error": "ciphertext or signature version is disallowed by policy (too old)"}
        if self.mode == "refuses":
            return {"error": "cipher: message authentication failed"}
        try:
            sealed = b64decode(text, validate=True)
            plain = AESGCM(key["versions"][number]).decrypt(
                sealed[:12], sealed[12:], b64decode(item.get("associated_data", ""))
            )
        except (InvalidTag, Base64Error, ValueError):
            return {"error": "cipher: message authentication failed"}
        if self.mode == "short":
            plain = plain[:-1]
        return {"plaintext": "%%%" if self.mode == "base64" else b64encode(plain).decode()}


@contextmanager
def running() -> Iterator[VaultDouble]:
    """Serve a double on a port of this machine."""
    double = VaultDouble()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.loads(data) if data else {}
            double.requests.append((self.path, body))
            if double.mode == "hangs":
                double.released.wait(10)
            status, answer = double.answer(self.command, self.path, body, self.headers.get("X-Vault-Token", ""))
            text = b"" if answer is None else json.dumps(answer).encode()
            if double.mode == "html":
                text = b"<html>a proxy says hello</html>"
            if double.mode == "list":
                text = b"[1, 2]"
            self.send_response(307 if double.mode == "moved" else status)
            self.send_header("Content-Type", "text/html" if double.mode == "html" else "application/json")
            self.send_header("Content-Length", str(len(text)))
            if double.mode == "moved":
                self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = _serve  # noqa: N815  the names that http.server calls

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Say nothing of a client that left."""

    with Server(("127.0.0.1", 0), Handler) as server:
        double.url = f"http://127.0.0.1:{server.server_address[1]}"
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield double
        finally:
            double.released.set()
            server.shutdown()
