"""Writes the sealed records in this folder, without any code of faceauth: struct, and AES-256-GCM of cryptography.

Run it after a change of the format, and say so in docs/template-format.md:
``python tests/vectors/make_vectors.py``.
"""

import json
import struct
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HERE = Path(__file__).parent
KEY = bytes(range(32))
NONCE = bytes(range(0xA0, 0xAC))
GENERATION = 1
CONTEXT: dict[str, Any] = {
    "schema": 1,
    "tenant": "shop",
    "account": "anna",
    "reference": "reference_1",
    "scenario": "login",
    "consent": "consent_1",
    "model_digest": bytes(range(0x40, 0x60)).hex(),
}
VECTOR = [0.5, -0.5, 0.5, -0.5]
WRAP_CONTEXT = b"anna's key"


def fields(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def associated(context: dict[str, Any]) -> bytes:
    names = ("tenant", "account", "reference", "scenario", "consent")
    return fields(
        b"faceauth/reference",
        int(context["schema"]).to_bytes(4, "big"),
        *(context[name].encode() for name in names),
        bytes.fromhex(context["model_digest"]),
    )


def record(plain: bytes, aad: bytes, *, version: int = 1, key_version: int = GENERATION) -> bytes:
    header = bytes([version]) + key_version.to_bytes(4, "big")
    return header + NONCE + AESGCM(KEY).encrypt(NONCE, plain, header + aad)


def references() -> dict[str, Any]:
    plain = struct.pack("<H4f", 4, *VECTOR).replace(struct.pack("<H", 4), struct.pack(">H", 4), 1)
    aad = associated(CONTEXT)
    good = record(plain, aad)
    cases: list[dict[str, Any]] = [{"name": "good", "record": good.hex(), "vector": VECTOR}]

    def broken(name: str, data: bytes, **changed: Any) -> None:
        cases.append({"name": name, "record": data.hex(), "context": changed})

    broken("empty", b"")
    broken("only a header", good[:5])
    broken("no ciphertext", good[:33])
    broken("last byte cut off", good[:-1])
    broken("first byte cut off", good[1:])
    broken("a trailing byte", good + b"\0")
    broken("twice", good + good)
    broken("format 0", bytes([0]) + good[1:])
    broken("format 2, authenticated", record(plain, aad, version=2))
    broken("generation 2 in the header", good[:1] + (2).to_bytes(4, "big") + good[5:])
    broken("generation 2, authenticated", record(plain, aad, key_version=2))
    broken("schema 2", good, schema=2)
    for name in ("tenant", "account", "reference", "scenario", "consent"):
        broken(f"another {name}", good, **{name: "other"})
        broken(f"empty {name}", good, **{name: ""})
    broken("tenant and account swapped", good, tenant="anna", account="shop")
    broken("reference and consent swapped", good, reference="consent_1", consent="reference_1")
    broken("the border between two names moved", good, tenant="shopa", account="nna")
    broken("another model", good, model_digest="00" * 32)
    broken("model digest cut short", good, model_digest=CONTEXT["model_digest"][:-2])
    broken("names joined without their lengths", record(plain, aad.replace(b"\0\0\0", b"")))
    broken("no associated data", record(plain, b""))
    broken("dimension too large", record(struct.pack(">H", 5) + plain[2:], aad))
    broken("dimension too small", record(struct.pack(">H", 3) + plain[2:], aad))
    broken("dimension zero", record(struct.pack(">H", 0), aad))
    broken("nothing sealed", record(b"", aad))
    broken("half a number", record(plain[:-2], aad))
    broken("not a number", record(plain[:-4] + struct.pack("<f", float("nan")), aad))
    broken("infinite", record(plain[:-4] + struct.pack("<f", float("inf")), aad))
    return {
        "key": KEY.hex(),
        "generation": GENERATION,
        "context": CONTEXT,
        "associated_data": aad.hex(),
        "cases": cases,
    }


def wrapped_keys() -> dict[str, Any]:
    plain = bytes(range(0x80, 0xA0))
    aad = b"faceauth/data-key/1" + WRAP_CONTEXT
    good = record(plain, aad)
    cases: list[dict[str, Any]] = [
        {"name": "good", "record": good.hex(), "plain": plain.hex()},
        {"name": "cut short", "record": good[:-1].hex(), "error": "seal_broken"},
        {"name": "a trailing byte", "record": (good + b"\0").hex(), "error": "seal_broken"},
        {"name": "format 2", "record": record(plain, aad, version=2).hex(), "error": "seal_broken"},
        {"name": "another context", "record": record(plain, aad + b".").hex(), "error": "seal_broken"},
        {"name": "a short key", "record": record(plain[:16], aad).hex(), "error": "seal_broken"},
        {
            "name": "below the minimum",
            "record": record(plain, aad, key_version=0).hex(),
            "error": "key_unavailable",
        },
        {
            "name": "a version not in the keyring",
            "record": record(plain, aad, key_version=2).hex(),
            "error": "key_unavailable",
        },
        {"name": "empty", "record": "", "error": "seal_broken"},
    ]
    return {"key_encryption_key": KEY.hex(), "version": 1, "context": WRAP_CONTEXT.hex(), "cases": cases}


if __name__ == "__main__":
    for name, content in (("sealed-references", references()), ("wrapped-keys", wrapped_keys())):
        (HERE / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
