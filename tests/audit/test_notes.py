"""Checkpoints as C2SP writes them: what is signed, who can check it, and what is refused (R51)."""

from base64 import b64decode, b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from faceauth.audit.notes import Checkpoint, NoteKey, open_note
from faceauth.errors import SignatureInvalid

ROOT = bytes(range(32))
KEY = NoteKey(bytes(range(32)), "faceauth/a1")
NOTE = KEY.sign(20, ROOT)
ADDRESS = KEY.verifier_key


def test_a_note_is_what_c2sp_says_it_is() -> None:
    """Checked here without our own reader: three lines, an empty one, and an Ed25519 signature over the three."""
    text, signature = NOTE.split("\n\n")
    assert text.split("\n") == ["faceauth/a1", "20", b64encode(ROOT).decode()]
    dash, name, encoded = signature.rstrip("\n").split(" ")
    assert (dash, name) == ("\N{EM DASH}", "faceauth/a1")
    assert ADDRESS.count("+") >= 2
    name, key_id, public = ADDRESS.split("+", 2)
    raw = b64decode(encoded)
    assert raw[:4].hex() == key_id
    Ed25519PublicKey.from_public_bytes(b64decode(public)[1:]).verify(raw[4:], f"{text}\n".encode())


def test_what_was_signed_is_read_back() -> None:
    assert open_note(NOTE, ADDRESS) == Checkpoint("faceauth/a1", 20, ROOT)


def test_a_witness_may_sign_beside_us() -> None:
    witness = NoteKey(b"w" * 32, "witness.example").sign(20, ROOT).splitlines()[-1]
    assert open_note(f"{NOTE}{witness}\n", ADDRESS).size == 20
    head, ours = NOTE.rsplit("\n\n", 1)
    assert open_note(f"{head}\n\n{witness}\n{ours}", ADDRESS).size == 20


@pytest.mark.parametrize(
    "note",
    [
        NOTE.replace("\n20\n", "\n21\n"),
        NOTE.replace("\n20\n", "\n-1\n"),
        NOTE.replace("\n20\n", "\n020\n"),
        NOTE.replace("faceauth/a1\n20", "faceauth/a2\n20"),
        NoteKey(bytes(32), "faceauth/a1").sign(20, ROOT),
        NOTE.split("\n\n")[0] + "\n\n",
        NOTE.split("\n\n")[0],
        NOTE.replace("AAEC", "AAEE"),
        NOTE[:-8],
        "",
        "\n\n\n",
        "x" * 20_000,
    ],
)
def test_any_other_note_is_refused(note: str) -> None:
    with pytest.raises(SignatureInvalid, match="no checkpoint"):
        open_note(note, ADDRESS)


@pytest.mark.parametrize(
    "address", ["", "faceauth/a1", "faceauth/a1+00000000+AQ==", ADDRESS.replace("/a1", "/a2")]
)
def test_a_verifier_key_that_is_none_checks_nothing(address: str) -> None:
    with pytest.raises(SignatureInvalid):
        open_note(NOTE, address)
