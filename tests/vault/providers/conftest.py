"""The ways of holding keys that tests may ask for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vault.providers import holding as ways
from tests.vault.providers import vault_double


@pytest.fixture(scope="session")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The files of a SoftHSM token; tests that need it skip where there is none."""
    pytest.importorskip("pkcs11", reason="needs the extra: pip install 'faceauth[pkcs11]'")
    if not ways.MODULE.is_file():
        pytest.skip("needs SoftHSM 2, Debian's package softhsm2")
    with ways.softhsm(tmp_path_factory.mktemp("softhsm")) as tokens:
        yield tokens


@pytest.fixture
def double() -> Iterator[vault_double.VaultDouble]:
    """A double of Vault, on a port of this machine."""
    pytest.importorskip("hvac", reason="needs the extra: pip install 'faceauth[vault]'")
    with vault_double.running() as running:
        yield running


@pytest.fixture(params=["environment", "pkcs11", "vault"])
def holding(request: pytest.FixtureRequest) -> Iterator[ways.Holding]:
    """Each way in turn."""
    if request.param == "environment":
        made = ways.environment()
    elif request.param == "pkcs11":
        made = ways.token(request.getfixturevalue("softhsm"))
    else:
        made = ways.vault(request.getfixturevalue("double"))
    yield made
    made.close()
