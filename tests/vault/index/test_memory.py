"""What is removed leaves no copy anywhere in the process, in FAISS's and NumPy's memory neither (R42)."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from faceauth.types import Reference
from faceauth.vault.index import ReferenceIndex
from faceauth.vault.index.scalar import INT8_RANGE
from tests.vault.index import forgetful
from tests.vault.index.faces import ENGINES, MODEL, SMALL, blocks
from tests.vault.index.forgetful import BATCH, DIMENSION, REMOVED, REPLACED, ROWS

ROOT = Path(__file__).resolve().parents[3]
LOOKED_FOR = 8
"""How many vectors of each engine are looked for; every one in three forms, at two places."""


def memory_of(pid: int) -> bytes:
    """Everything that the process may have written: its writable maps, less pages of zeros."""
    parts = []
    with Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text(encoding="ascii").splitlines():
            span, rights = line.split()[:2]
            start, end = (int(number, 16) for number in span.split("-"))
            if rights.startswith("rw") and "[v" not in line:
                memory.seek(start)
                pages = np.frombuffer(memory.read(end - start), np.uint8).reshape(-1, 4096)
                parts.append(pages[pages.any(axis=1)].tobytes())
    return b"".join(parts)


def forms(vector: NDArray[np.float32]) -> Iterator[bytes]:
    """Pieces of the vector as float32, as float16, and as 8-bit integers, as FAISS has them."""
    scaled = np.clip(np.rint(vector * np.float32(127 * np.sqrt(DIMENSION) / INT8_RANGE)), -127, 127)
    for form in (vector, vector.astype(np.float16), (scaled + 128).astype(np.uint8)):
        yield form[:16].tobytes()
        yield form[-16:].tobytes()


def pieces_in(memory: bytes, pieces: set[bytes]) -> set[bytes]:
    """Return those of the pieces that are in the memory, wherever they begin; searching for each takes minutes."""
    firsts = np.array([int.from_bytes(piece[:4], "little") for piece in pieces], np.uint32)
    maybe = np.zeros(1 << 16, np.bool_)
    maybe[firsts & 0xFFFF] = True
    found = set()
    for shift in range(4):
        words = np.frombuffer(memory, "<u4", offset=shift, count=(len(memory) - shift) // 4)
        near = np.flatnonzero(maybe[words & 0xFFFF])
        for place in (4 * near[np.isin(words[near], firsts)] + shift).tolist():
            found |= {memory[place : place + size] for size in (16, 32, 64)} & pieces
    return found


def counted(found: set[bytes], seed: int, numbers: range) -> set[int]:
    """Return how many pieces of these vectors were found, of any of them."""
    return {sum(form in found for form in forms(face)) for face in faces_of(seed, numbers)}


def faces_of(seed: int, numbers: range) -> NDArray[np.float32]:
    faces = np.zeros((ROWS, DIMENSION), np.float32)
    forgetful.faces(seed, faces)
    return faces[list(numbers[:LOOKED_FOR])]


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="the memory of a process is read the way of Linux")
def test_no_copy_of_a_removed_vector_is_left_in_the_process() -> None:
    """R42, with every engine in one process, while rows move to other blocks; what stays is still there."""
    command = [sys.executable, "-m", "tests.vault.index.forgetful"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "added\n"
        try:
            before = memory_of(process.pid)
        except PermissionError:
            process.kill()
            pytest.skip("this machine forbids to read the memory of a child")
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "removed\n"
        after = memory_of(process.pid)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.wait() == 0
    stays = range(ROWS - 1, 60, -2)
    pieces = {
        form
        for seed in range(len(ENGINES))
        for of, numbers in ((seed, REMOVED), (seed, REPLACED), (100 + seed, REPLACED), (seed, stays))
        for face in faces_of(of, numbers)
        for form in forms(face)
    }
    learned = np.zeros((BATCH, DIMENSION), np.float32)
    forgetful.faces(BATCH, learned)
    forgotten = {row[at : at + 4].tobytes() for row in learned[1::4] for at in (0, 32)}
    before_it, after_it = pieces_in(before, pieces | forgotten), pieces_in(after, pieces)
    assert before_it & forgotten == set()
    for seed, engine in enumerate(ENGINES):
        # Two pieces of each: in the one form that the engine keeps.
        assert counted(before_it, seed, REMOVED) == counted(before_it, seed, REPLACED) == {2}, engine
        assert counted(after_it, seed, REMOVED) == counted(after_it, seed, REPLACED) == {0}, engine
        assert counted(after_it, 100 + seed, REPLACED) == counted(after_it, seed, stays) == {2}, engine


def test_a_removed_row_leaves_no_code() -> None:
    """R42: codes are packed with those of other rows, so they are read back one by one."""
    faces = np.zeros((ROWS, DIMENSION), np.float32)
    forgetful.faces(1, faces)
    index = ReferenceIndex("codes", sizes=SMALL)
    with index.adding() as adding:
        for number, face in enumerate(faces):
            adding.add(Reference(f"r{number}", "shop", "anna", "login", "consent", MODEL, face))
    assert {block.engine.name for block in blocks(index) if block.used} == {"codes"}
    for number in REMOVED:
        index.remove(f"r{number}")
    for block in blocks(index):
        packed = block.engine._packed
        for row, account in enumerate(block.accounts):
            part, upper, place = row % 96 // 32, row % 32 // 16, list(_places()).index(row % 16)
            cell = packed[row // 96, :, part, :, place]
            assert bool(np.any(cell >> 4 if upper else cell & 0x0F)) == (account is not None)


def _places() -> Iterator[int]:
    """Which of 16 rows a byte is of."""
    for number in range(8):
        yield from (number, number + 8)
