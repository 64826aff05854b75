"""What runs a network: the provider that the settings name, and no other."""

from types import SimpleNamespace
from typing import Any

import onnxruntime
import pytest

from faceauth.embed import session
from faceauth.embed.session import PROVIDERS, OnnxSession, Provider
from faceauth.errors import ModelError
from tests.embed.graphs import model


@pytest.mark.parametrize("provider", ["cuda", "coreml", "openvino"])
def test_provider_that_is_not_offered_is_refused(provider: Provider) -> None:
    """No silent fallback: the error names the provider, what there is instead, and the setting."""
    if PROVIDERS[provider] in onnxruntime.get_available_providers():
        pytest.skip(f"this ONNX Runtime has {provider}")
    with pytest.raises(ModelError, match=f"no provider {provider}; it has: .*cpu.*FACEAUTH_INFERENCE__PROVIDER"):
        OnnxSession(model().SerializeToString(), "m.onnx", provider)


class Runtime:
    """Stands for an ONNX Runtime with CUDA; remembers how it was asked, and runs on what it is told to."""

    SessionOptions = onnxruntime.SessionOptions
    ExecutionMode = onnxruntime.ExecutionMode
    __version__ = onnxruntime.__version__

    def __init__(self, runs_on: list[str]) -> None:
        self.runs_on = runs_on
        self.asked: list[str] = []
        self.config: str = ""

    def get_available_providers(self) -> list[str]:
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]

    def InferenceSession(self, data: bytes, options: Any, providers: list[str]) -> Any:  # noqa: N802  their name
        assert data
        self.asked = providers
        self.config = options.get_session_config_entry("session.disable_cpu_ep_fallback")
        return SimpleNamespace(disable_fallback=lambda: None, get_providers=lambda: self.runs_on)


def test_accelerator_is_asked_for_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runtime appends the CPU by itself; a node that would land there is an error."""
    runtime = Runtime(["CUDAExecutionProvider", "CPUExecutionProvider"])
    monkeypatch.setattr(session, "onnxruntime", runtime)
    session.open_onnxruntime(model().SerializeToString(), "m.onnx", "cuda")
    assert runtime.asked == ["CUDAExecutionProvider"]
    assert runtime.config == "1"


def test_accelerator_that_does_not_start_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its libraries the runtime drops the provider, warns, and runs on the CPU: refused."""
    monkeypatch.setattr(session, "onnxruntime", Runtime(["CPUExecutionProvider"]))
    with pytest.raises(ModelError, match="cannot start it on this machine"):
        session.open_onnxruntime(model().SerializeToString(), "m.onnx", "cuda")
