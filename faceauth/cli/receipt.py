"""`faceauth receipt`: check what people were given, with this installation's keys or with a key set alone."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from joserfc.jwk import ECKey

from faceauth.cli.console import Json, console, fail, print_json, why_unreadable
from faceauth.errors import ConfigurationError, InvalidRequest, SignatureInvalid
from faceauth.installation import read_keyring
from faceauth.settings import load_settings
from faceauth.signing import CONSENT_RECEIPT, DELETION_RECEIPT, Signer, check, keys_from_jwks

app = typer.Typer(help="Check consent and deletion receipts.", no_args_is_help=True)

KINDS: Final = (CONSENT_RECEIPT, DELETION_RECEIPT)

JWKS = typer.Option("--jwks", help="A key set from /oauth2/jwks; this installation's keys if left out.")


@app.callback()
def group() -> None:
    """Check consent and deletion receipts."""


@app.command("check")
def check_receipts(
    file: Annotated[
        Path, typer.Argument(help="A receipt, or all of them as the service gives them; - for standard input.")
    ],
    jwks: Annotated[Path | None, JWKS] = None,
    as_json: Json = False,
) -> None:
    """Say what each receipt attests; exit 1 at the first that is not genuine."""
    receipts = _receipts(_text(file))
    keys = _keys(jwks)
    told = []
    for number, receipt in enumerate(receipts, 1):
        found = next((one for kind in KINDS if (one := _claims(receipt, keys, kind)) is not None), None)
        if found is None:
            fail(f"Receipt {number} of {len(receipts)} was not signed by these keys, or was altered.")
        told.append(found)
    if as_json:
        print_json(told)
        return
    for one in told:
        console().print(
            f"[green]✓[/] {one['kind']}, {one['account']}: {one['what']}, {one['at']}", highlight=False
        )


def _claims(receipt: str, keys: Sequence[ECKey], kind: str) -> dict[str, Any] | None:
    try:
        claims = check(receipt, keys=keys, expected_typ=kind)
    except SignatureInvalid:
        return None
    if kind == CONSENT_RECEIPT:
        record: Any = claims["consent_record"]
        purpose = record["pii_processing"]["purposes"][0]["purpose"]
        what = f"{record['event']['event_state']} to {purpose}"
        return {"kind": "consent", "account": claims["sub"], "what": what, "at": record["event"]["event_time"]}
    scope: Any = claims["scope"]
    reached = scope["scenario"] or scope["reference_id"] or "everything"
    what = f"erased {reached} ({claims['reason']})"
    at = datetime.fromtimestamp(int(str(claims["iat"])), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"kind": "deletion", "account": claims["account"], "what": what, "at": at}


def _receipts(text: str) -> list[str]:
    if not text.lstrip().startswith("{"):
        return text.split() or [""]
    told = _object(text)
    found = told.get("receipts", [told["receipt"]] if "receipt" in told else None)
    if not isinstance(found, list) or not found or not all(isinstance(one, str) for one in found):
        raise InvalidRequest("There is no receipt in it: a file with a receipt, or with receipts, is wanted.")
    return found


def _keys(jwks: Path | None) -> tuple[ECKey, ...]:
    if jwks is None:
        return Signer(read_keyring(load_settings()).signing_keys).public_keys
    return keys_from_jwks(_object(_text(jwks)))


def _object(text: str) -> Mapping[str, Any]:
    try:
        told = json.loads(text)
    except ValueError as error:
        raise InvalidRequest(f"It is no JSON ({error}).") from error
    if not isinstance(told, dict):
        raise InvalidRequest("It is no JSON object.")
    return told


def _text(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read ({why_unreadable(error)}).") from error
