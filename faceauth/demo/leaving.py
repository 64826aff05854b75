"""The last acts: consent withdrawn, account closed, and the proof that nothing is left."""

from collections.abc import Iterator

from faceauth.consent.builtin import LOGIN
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.demo.line import Line, refused
from faceauth.demo.login import FRONT_DESK
from faceauth.demo.proof import found_in, needles, size_of
from faceauth.demo.stage import ACTOR, Stage
from faceauth.errors import ConsentRequired
from faceauth.signing import DELETION_RECEIPT, check, keys_from_jwks


def withdrawal(stage: Stage) -> Iterator[Line]:
    """Ann takes the login back; the front desk stays as she agreed."""
    ann = stage.cast.ann.account
    place = stage.installation
    token = place.lifecycle.withdraw(tenant=DEFAULT_TENANT, account=ann, scenario=LOGIN, actor=ACTOR)
    yield _receipt(stage, token, "Ann withdraws her consent to the login, in one step")
    yield refused(
        "Log in as Ann",
        lambda: stage.open("verify", LOGIN, ann),
        expected=ConsentRequired,
        proves="From that moment on the gate is shut.",
    )
    with place.data.read() as conn:
        left = {
            scenario: len(place.references.ids(conn, tenant=DEFAULT_TENANT, account=ann, scenario=scenario))
            for scenario in (LOGIN, FRONT_DESK)
        }
    yield Line(
        "What is stored of her now?",
        ", ".join(f"{count} references for {scenario}" for scenario, count in left.items()),
        "What was withdrawn is gone, what was not is kept.",
        as_expected=left[LOGIN] == 0 and left[FRONT_DESK] > 0,
    )


def closing(stage: Stage) -> Iterator[Line]:
    """Everybody leaves; then every byte is looked at."""
    place = stage.installation
    for person in stage.cast.enrolled:
        token = place.lifecycle.close_account(tenant=DEFAULT_TENANT, account=person.account, actor=ACTOR)
        yield _receipt(stage, token, f"{person.name} closes the account")
    looked_for = [*needles(stage.templates), *stage.sealed]
    files, size = size_of(stage.folder)
    hits = found_in(stage.folder, looked_for)
    where = "; ".join(f"{hit.form} in {hit.path.name} at {hit.offset}" for hit in hits[:3])
    yield Line(
        f"Look for all {len(stage.templates)} erased templates, clear and sealed, in every byte that is left",
        f"{files} files, {size:,} bytes: " + (f"found {len(hits)}: {where}" if hits else "found nothing"),
        "Erased means gone from every file: databases, their logs, keys; not marked as deleted.",
        as_expected=not hits and bool(stage.templates),
    )
    yield _control(stage, looked_for)


def _control(stage: Stage, looked_for: list[bytes]) -> Line:
    """Plant one template and scan again: a scanner that finds nothing must be shown to find something."""
    planted = stage.folder / "data" / "planted.bin"
    planted.write_bytes(bytes(1000) + stage.templates[0].tobytes() + bytes(1000))
    try:
        hits = found_in(stage.folder, looked_for)
    finally:
        planted.unlink()
    return Line(
        "Is the scanner blind? Plant one template in a file and look again",
        f"found in {', '.join(sorted({hit.path.name for hit in hits})) or 'no file'}; the file is removed again",
        "Finding nothing means something.",
        as_expected={hit.path for hit in hits} == {planted},
    )


def _receipt(stage: Stage, token: str, asked: str) -> Line:
    claims = check(
        token, keys=keys_from_jwks(stage.installation.signer.public_jwks()), expected_typ=DELETION_RECEIPT
    )
    destroyed = claims["destroyed"]
    counts = (
        {name: len(destroyed[name]) for name in ("references", "data_keys")} if isinstance(destroyed, dict) else {}
    )
    told = f"{counts.get('references', 0)} references and {counts.get('data_keys', 0)} data key(s)"
    return Line(
        asked,
        f"erased: {told}; the signed receipt holds",
        "Erasure is done before it is answered, key first, and can be shown later.",
        as_expected=counts.get("references", 0) > 0,
    )
