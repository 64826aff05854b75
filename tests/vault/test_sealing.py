"""Sealed records open in their own context and nowhere else (R46, R48)."""

import dataclasses
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceauth.errors import SealBroken
from faceauth.vault.keys import DataKey
from faceauth.vault.records import pack_fields
from faceauth.vault.sealing import SealContext, open_sealed, seal

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "sealed-references.json").read_text())


def context(**changed: Any) -> SealContext:
    values = VECTORS["context"] | changed
    return SealContext(**values | {"model_digest": bytes.fromhex(values["model_digest"])})


def key(account: str = "anna", **changed: Any) -> DataKey:
    values = {"data_key_id": "key_1", "tenant": "shop", "account": account, "generation": VECTORS["generation"]}
    return DataKey(**values | {"secret": bytes.fromhex(VECTORS["key"])} | changed)


GOOD = bytes.fromhex(VECTORS["cases"][0]["record"])
FACE = np.array(VECTORS["cases"][0]["vector"], np.float32)


def test_the_good_vector_opens_and_is_what_sealing_makes() -> None:
    """R46: the layout is the documented one, byte by byte."""
    nonce = GOOD[5:17]
    assert context().associated_data().hex() == VECTORS["associated_data"]
    assert np.array_equal(open_sealed(GOOD, key(), context()), FACE)
    assert seal(FACE, key(), context(), random=lambda _: nonce) == GOOD


@pytest.mark.parametrize("case", VECTORS["cases"][1:], ids=lambda case: case["name"])
def test_broken_vectors_do_not_open(case: dict[str, Any]) -> None:
    """R46: truncated, swapped, trailing bytes, wrong version."""
    with pytest.raises(SealBroken):
        open_sealed(bytes.fromhex(case["record"]), key(), context(**case["context"]))


def test_every_bit_flip_is_noticed() -> None:
    """R46, R48: each bit of a record, of a small one and of one with the 512 dimensions of a real embedding."""
    rng = np.random.default_rng(3)
    large = seal(rng.normal(size=512).astype(np.float32), key(), context())
    for record in (GOOD, large):
        for bit in range(len(record) * 8):
            data = bytearray(record)
            data[bit // 8] ^= 1 << bit % 8
            with pytest.raises(SealBroken):
                open_sealed(bytes(data), key(), context())


@pytest.mark.parametrize("field", ["tenant", "account", "reference", "scenario", "consent", "model_digest"])
def test_every_field_of_the_context_is_bound(field: str) -> None:
    """R46: swapping any one is refused, with the very key that sealed it."""
    other = "00" * 32 if field == "model_digest" else "other"
    record = seal(FACE, key(), context())
    assert open_sealed(record, key(), context()).tobytes() == FACE.tobytes()
    with pytest.raises(SealBroken):
        open_sealed(record, key(), context(**{field: other}))
    with pytest.raises(SealBroken):
        open_sealed(record, key(), dataclasses.replace(context(), schema=2))


def test_every_other_key_is_refused() -> None:
    """R45: one bit of the key, or its generation."""
    for bit in range(256):
        secret = bytearray(bytes.fromhex(VECTORS["key"]))
        secret[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken):
            open_sealed(GOOD, key(secret=bytes(secret)), context())
    with pytest.raises(SealBroken):
        open_sealed(GOOD, key(generation=2), context())


def test_sealing_twice_gives_two_records() -> None:
    """R46: the nonce is fresh each time."""
    records = {seal(FACE, key(), context()) for _ in range(50)}
    assert len({record[5:17] for record in records}) == 50


@given(st.lists(st.binary(max_size=4), max_size=4), st.lists(st.binary(max_size=4), max_size=4))
def test_no_two_lists_of_fields_give_the_same_bytes(one: list[bytes], other: list[bytes]) -> None:
    """R46: the associated data is unambiguous."""
    assert (pack_fields(one) == pack_fields(other)) == (one == other)


def test_moved_borders_give_other_bytes() -> None:
    texts = ["", "a", "ab", "b", "é"]
    seen = {
        context(tenant=a, account=b, reference=c).associated_data()
        for a, b, c in itertools.product(texts, repeat=3)
    }
    assert len(seen) == len(texts) ** 3


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=600), st.text(max_size=20))
def test_what_is_sealed_comes_back(numbers: list[float], account: str) -> None:
    account = account.encode("utf-8", "ignore").decode()
    vector = np.array(numbers, np.float32)
    record = seal(vector, key(account), context(account=account))
    assert len(record) == 33 + 2 + 4 * len(numbers)
    assert open_sealed(record, key(account), context(account=account)).tobytes() == vector.tobytes()


@given(st.binary(max_size=200))
def test_no_bytes_open_by_chance(data: bytes) -> None:
    with pytest.raises(SealBroken):
        open_sealed(data, key(), context())


@pytest.mark.parametrize(
    "vector", [np.zeros((2, 2)), np.zeros(0), np.array([np.nan]), np.array([np.inf]), np.zeros(70_000)]
)
def test_only_an_embedding_is_sealed(vector: np.ndarray[Any, Any]) -> None:
    with pytest.raises(ValueError, match="finite embedding"):
        seal(vector.astype(np.float32), key(), context())


def test_another_accounts_key_is_not_used() -> None:
    """R45: one data key per account."""
    with pytest.raises(ValueError, match="another account"):
        seal(FACE, key("ben"), context())


def test_the_documented_example_is_the_vector() -> None:
    page = Path(__file__).parent.parent.parent / "docs" / "template-format.md"
    text = "".join(page.read_text(encoding="utf-8").split())
    assert VECTORS["cases"][0]["record"] in text
    assert VECTORS["associated_data"] in text


def test_a_key_hides_in_its_repr() -> None:
    assert VECTORS["key"][:8] not in repr(key())
    assert repr(bytes(range(4)))[2:-1] not in repr(key())
