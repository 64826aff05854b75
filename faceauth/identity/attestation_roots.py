"""The root certificates that attestations must lead to: a folder of the operator's, one subfolder a format."""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from webauthn.helpers.structs import AttestationFormat

from faceauth.errors import ConfigurationError
from faceauth.identity.webauthn_keys import OWN_ROOTS, ROOTED, Roots

SETTING = "FACEAUTH_DEVICES__ATTESTATION_ROOTS"


def read_roots(folder: Path | None) -> Roots:
    """Return the certificates of ``folder/<format>/*.pem``; without a folder there are none.

    Raises:
        ConfigurationError: the folder is not there, has a subfolder that is no format, or a file that is no PEM.
    """
    if folder is None:
        return {}
    if not folder.is_dir():
        raise ConfigurationError(f"{SETTING}: there is no folder {folder}.")
    known = {kind.value: kind for kind in OWN_ROOTS | ROOTED}
    roots: dict[AttestationFormat, list[bytes]] = {}
    for place in sorted(one for one in folder.iterdir() if one.is_dir()):
        if place.name not in known:
            raise ConfigurationError(f"{SETTING}: {place.name} is none of {', '.join(sorted(known))}.")
        for file in sorted(place.glob("*.pem")):
            roots.setdefault(known[place.name], []).extend(_certificates(file))
    if not roots:
        raise ConfigurationError(f"{SETTING}: {folder} has no certificates, such as packed/maker.pem.")
    return roots


def _certificates(file: Path) -> list[bytes]:
    try:
        return [one.public_bytes(Encoding.PEM) for one in x509.load_pem_x509_certificates(file.read_bytes())]
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{SETTING}: {file} cannot be read as certificates in PEM.") from error
