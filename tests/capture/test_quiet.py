"""What C libraries print is heard and kept away; what others print is not lost."""

import os

import pytest

from faceauth.capture.quiet import library_messages


def test_library_lines_are_kept_and_reported(capfd: pytest.CaptureFixture[str]) -> None:
    with library_messages() as heard:
        os.write(2, b"Corrupt JPEG data: premature end of data segment\n")
    assert heard.complained
    assert capfd.readouterr().err == ""


def test_lines_of_others_are_passed_on(capfd: pytest.CaptureFixture[str]) -> None:
    """Another thread's log line must not vanish because a picture was decoded meanwhile."""
    with library_messages() as heard:
        os.write(2, b'{"event": "started"}\n')
    assert not heard.complained
    assert capfd.readouterr().err == '{"event": "started"}\n'


def test_error_stream_is_back_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="inside"), library_messages():
        raise ValueError("inside")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def next_descriptor() -> int:
    descriptor = os.dup(2)
    os.close(descriptor)
    return descriptor


def test_no_descriptor_is_left_open(capfd: pytest.CaptureFixture[str]) -> None:
    """A service decodes millions of frames."""
    before = next_descriptor()
    for _ in range(50):
        with library_messages():
            os.write(2, b"libpng error: x\n")
    assert next_descriptor() == before
