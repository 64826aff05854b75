"""WebAuthn credentials as device keys, through py_webauthn: registered once, then answering sessions' messages."""

import ipaddress
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from webauthn import (
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    parse_attestation_object,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AttestationFormat,
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from faceauth.errors import InvalidRequest, SignatureInvalid
from faceauth.identity.signed import webauthn_challenge

ES256: Final = COSEAlgorithmIdentifier.ECDSA_SHA_256

OWN_ROOTS: Final = frozenset({AttestationFormat.APPLE, AttestationFormat.ANDROID_KEY})
"""The library has the vendor's roots of these, and always holds a statement against them."""

ROOTED: Final = frozenset({AttestationFormat.PACKED, AttestationFormat.TPM, AttestationFormat.FIDO_U2F})
"""Of these it has none: without roots from the settings such a statement says nothing about who made the key."""

Roots = Mapping[AttestationFormat, list[bytes]]
"""Root certificates, each in PEM, by the format of the statements that must lead to them."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A credential that proved itself. `attestation` is the format that was verified up to a root, or ``none``."""

    credential_id: bytes
    public_key: bytes = field(repr=False)
    sign_count: int
    attestation: str
    hardware: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RelyingParty:
    """Who credentials are made for.

    Attributes:
        rp_id: the domain that a credential is bound to.
        origins: the pages and apps that may use it.
        name: what the person sees.
        roots: root certificates; none were configured if it is empty.
    """

    rp_id: str
    origins: tuple[str, ...]
    name: str
    roots: Roots = field(default_factory=dict, repr=False)

    def check_usable(self) -> None:
        """Return if browsers can make credentials for this name.

        Raises:
            InvalidRequest: it is an address of numbers (WebAuthn, 5.1.2: an effective domain is needed).
        """
        try:
            ipaddress.ip_address(self.rp_id)
        except ValueError:
            return
        raise InvalidRequest(
            f"WebAuthn needs a domain and the service is at {self.rp_id}. Set FACEAUTH_ISSUER to its name, "
            "http://localhost:… on your own machine, or bind a raw key."
        )

    def options(self, *, challenge: bytes, user: bytes, account: str, known: Sequence[bytes]) -> dict[str, Any]:
        """Return what a page hands to ``navigator.credentials.create``, in WebAuthn's JSON.

        Args:
            challenge: random bytes that the new credential signs.
            user: names the person to the authenticator and nobody else (WebAuthn, 14.6.1), at most 64 bytes.
            account: what the authenticator shows.
            known: credentials that the account has, so that none is made twice.
        """
        self.check_usable()
        wanted = AttestationConveyancePreference.DIRECT if self.roots else AttestationConveyancePreference.NONE
        options = generate_registration_options(
            rp_id=self.rp_id,
            rp_name=self.name,
            user_name=account,
            user_id=user,
            challenge=challenge,
            attestation=wanted,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED,
                user_verification=UserVerificationRequirement.PREFERRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
            supported_pub_key_algs=[ES256],
        )
        return cast("dict[str, Any]", json.loads(options_to_json(options)))

    def register(self, unverified_credential: Mapping[str, Any], *, expected_challenge: bytes) -> Registered:
        """Return the credential that answers a binding's challenge.

        Hardware it is only if its attestation leads to a root and it cannot leave its device: one that may be
        backed up is kept wherever its owner's other devices are.

        Raises:
            SignatureInvalid: it does not, or its attestation does not hold.
        """
        try:
            found = verify_registration_response(
                credential=dict(unverified_credential),
                expected_challenge=expected_challenge,
                expected_rp_id=self.rp_id,
                expected_origin=list(self.origins),
                supported_pub_key_algs=[ES256],
                pem_root_certs_bytes_by_fmt={kind: list(roots) for kind, roots in self.roots.items()},
            )
            kind = AttestationFormat(found.fmt)  # the library leaves the text as it came
            statement = parse_attestation_object(found.attestation_object).att_stmt
            key = decoded_public_key_to_cryptography(decode_credential_public_key(found.credential_public_key))
        except WebAuthnException as error:
            raise SignatureInvalid(f"The credential is not accepted: {error}."[:300]) from error
        except Exception as error:
            # Bytes of a stranger in somebody else's parser: whatever it makes of them, it is no credential (R4).
            raise SignatureInvalid("The credential cannot be read.") from error
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            raise SignatureInvalid("The credential's key is not on P-256.")
        rooted = kind in OWN_ROOTS or (kind in ROOTED and bool(self.roots.get(kind)))
        # "packed" without certificates is signed by the new key itself, which says nothing (WebAuthn, 8.2).
        attested = rooted and bool(statement.x5c)
        return Registered(
            credential_id=found.credential_id,
            public_key=found.credential_public_key,
            sign_count=found.sign_count,
            attestation=(kind if attested else AttestationFormat.NONE).value,
            hardware=attested and found.credential_device_type is CredentialDeviceType.SINGLE_DEVICE,
        )

    def check(self, unverified_assertion: Mapping[str, Any], message: bytes, *, key: bytes) -> int:
        """Return the signature counter of a credential that signed `message`; 0 means that it does not count.

        Raises:
            SignatureInvalid: it did not.
        """
        try:
            found = verify_authentication_response(
                credential=dict(unverified_assertion),
                expected_challenge=webauthn_challenge(message),
                expected_rp_id=self.rp_id,
                expected_origin=list(self.origins),
                credential_public_key=key,
                # The counter is compared where it is stored, in one statement with its change.
                credential_current_sign_count=0,
            )
        except Exception as error:
            # As in `register`; a counter that overflows or a key that does not decode is no signature either.
            raise SignatureInvalid("The assertion is not this credential's, or is over something else.") from error
        return found.new_sign_count


def relying_party(
    issuer: str, *, rp_id: str = "", origins: tuple[str, ...] = (), name: str = "", roots: Roots | None = None
) -> RelyingParty:
    """Return the relying party at the service's own address, or of `rp_id`, with `origins` beside its own."""
    place = urlsplit(issuer)
    own = f"{place.scheme}://{place.netloc}"
    host = rp_id or place.hostname or ""
    return RelyingParty(rp_id=host, origins=(own, *origins), name=name or host, roots=roots or {})
