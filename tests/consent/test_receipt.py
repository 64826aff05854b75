"""A receipt is worth what a stranger can check of it (R28)."""

import json
import re
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from faceauth.consent.ledger import ConsentLedger
from faceauth.consent.notices import text_sha256
from faceauth.sections import ConsentSettings
from faceauth.signing import Signer
from tests.consent.story import ANN, TENANT, Story
from tests.databases import Databases

DOC = Path(__file__).resolve().parents[2] / "docs" / "consent.md"


@pytest.fixture
def signer() -> Signer:
    """A signer with a fresh key."""
    return Signer([ECKey.generate_key("P-256", {"kid": "k1"}, private=True)])


def _receipt(database: Databases, signer: Signer) -> tuple[str, str]:
    """Ann agrees; returns the receipt and the notice's text."""
    story = Story()
    ledger = ConsentLedger(
        signer=signer, consent=ConsentSettings(), clock=lambda: story.now, new_id=lambda kind: f"{kind}_1"
    )
    with database.data.begin() as conn:
        story.open(conn)
        request = story.request(conn, locale="zh")
        event = ledger.record(conn, tenant=TENANT, account=ANN, request=request)
        return event.receipt, story.notices.current(conn, TENANT, "login", story.now).text("zh").text


def _leaves(value: Any) -> set[str]:
    """Return every field name in a record."""
    if isinstance(value, dict):
        return set(value) | {name for inner in value.values() for name in _leaves(inner)}
    if isinstance(value, list):
        return {name for inner in value for name in _leaves(inner)}
    return set()


def test_a_stranger_checks_it_as_the_docs_say(sqlite_database: Databases, signer: Signer) -> None:
    """docs/consent.md: only the published keys are needed; an altered receipt fails."""
    receipt, text = _receipt(sqlite_database, signer)
    published: Any = signer.public_jwks()
    keys = KeySet.import_key_set(json.loads(json.dumps(published)))
    signed = jws.deserialize_compact(receipt, keys, algorithms=["ES256"])
    assert signed.headers()["typ"] == "consent-receipt+jwt"
    claims = json.loads(signed.payload)
    assert (claims["jti"], claims["sub"]) == ("event_1", ANN)
    record = claims["consent_record"]
    assert record["pii_processing"]["privacy_notice"]["sha256"] == text_sha256(text)
    head, body, tail = receipt.split(".")
    with pytest.raises(JoseError):
        jws.deserialize_compact(f"{head}.{body[:-2]}AA.{tail}", keys, algorithms=["ES256"])


def test_no_library_of_ours_is_needed(sqlite_database: Databases, signer: Signer) -> None:
    """RFC 7515 and 7518 by hand, on plain ECDSA: what joserfc signed is no dialect of its own."""
    receipt, _ = _receipt(sqlite_database, signer)
    keys: Any = signer.public_jwks()["keys"]
    (published,) = keys
    x, y = (int.from_bytes(_bytes(published[name])) for name in ("x", "y"))
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    signed, _, tail = receipt.rpartition(".")
    raw = _bytes(tail)
    signature = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    key.verify(signature, signed.encode(), ec.ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        key.verify(signature, signed.encode() + b"x", ec.ECDSA(hashes.SHA256()))


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_the_docs_name_every_field(sqlite_database: Databases, signer: Signer) -> None:
    """Habit 14: a field that is added without its line in docs/consent.md is found."""
    receipt, _ = _receipt(sqlite_database, signer)
    record = json.loads(jws.extract_compact(receipt.encode()).payload)["consent_record"]
    named = {
        part
        for words in re.findall(r"`([^`\n]+)`", DOC.read_text("utf-8"))
        for part in re.split(r"[.\[\]]+", words)
    }
    inside = {"pii_type", "sensitive_pii_category", "pii_optional"}  # parts of pii_information, said in words
    assert _leaves(record) - named - inside == set()
