"""The scanner finds what is there, in every form, and nothing else (R42)."""

import base64
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceauth.vault import scan as module
from faceauth.vault.scan import scan, vector_needles

NEEDLE = np.random.default_rng(1).bytes(512)
OTHER = np.random.default_rng(2).bytes(512)
FILLING = np.random.default_rng(3).bytes(3000)


@pytest.mark.parametrize(
    ("form", "data"),
    [
        ("bytes", NEEDLE),
        ("bytes", NEEDLE[100:140]),
        ("bytes", NEEDLE[16:32]),
        ("hex", NEEDLE.hex().encode()),
        ("hex", NEEDLE.hex().upper().encode()),
        *(("base64", base64.b64encode(FILLING[:shift] + NEEDLE)) for shift in range(3)),
        *(("base64", base64.urlsafe_b64encode(FILLING[:shift] + NEEDLE)) for shift in range(3)),
    ],
)
def test_finds_every_form_wherever_it_is(tmp_path: Path, form: str, data: bytes) -> None:
    file = tmp_path / "deep" / "down" / "file-wal"
    file.parent.mkdir(parents=True)
    file.write_bytes(FILLING + data + FILLING)
    (tmp_path / "clean").write_bytes(FILLING + OTHER)
    hits = scan([tmp_path], [NEEDLE])
    assert {(hit.path, hit.needle, hit.form) for hit in hits} == {(file, 0, form)}
    assert scan([tmp_path / "clean"], [NEEDLE]) == []
    assert [hit.needle for hit in scan([tmp_path / "clean"], [NEEDLE, OTHER])] == [1]


@settings(max_examples=30, deadline=None)
@given(at=st.integers(0, 600), chunk=st.integers(64, 300))
def test_finds_across_chunks(tmp_path_factory: pytest.TempPathFactory, at: int, chunk: int) -> None:
    file = tmp_path_factory.mktemp("scan") / "file"
    file.write_bytes(FILLING[:at] + NEEDLE[:16] + FILLING[:500])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_CHUNK", chunk)
        (hit,) = scan([file], [NEEDLE])
    assert hit.offset == at


def test_vectors_are_known_in_their_four_layouts(tmp_path: Path) -> None:
    vector = np.random.default_rng(4).normal(size=128).astype(np.float32)
    for number, data in enumerate(vector_needles(vector)):
        (tmp_path / "file").write_bytes(b"x" + data)
        assert number in {hit.needle for hit in scan([tmp_path], vector_needles(vector))}


@pytest.mark.parametrize("needle", [b"", b"short", bytes(512), b"abcd" * 100])
def test_refuses_needles_that_prove_nothing(tmp_path: Path, needle: bytes) -> None:
    with pytest.raises(ValueError, match="needle"):
        scan([tmp_path], [needle])


def test_a_file_that_cannot_be_read_proves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        scan([tmp_path / "missing"], [NEEDLE])
