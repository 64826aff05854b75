"""Match decisions, 1:1 and 1:N. Only this module makes a `MatchDecision`; no text here holds a score (R24).

A match is a score at or above the threshold: the false match rates of the operating points count the same way.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from faceauth.errors import ConsentRequired, Mismatch, NotEnrolled, SeveralMatch
from faceauth.match.compare import compare, compare_mean
from faceauth.match.operating_points import TARGET_FPIR, check, threshold_for_gallery
from faceauth.types import ConsentGrant, MatchDecision, OperatingPoint, Probe, Reference


def verify(
    probe: Probe, references: Sequence[Reference], *, grant: ConsentGrant, point: OperatingPoint
) -> MatchDecision:
    """Decide whether the probe is of the person the grant is of; see `compare_mean` for the score.

    Raises:
        NotEnrolled: If there is no reference of the probe's model.
        Mismatch: If the score is below the threshold or no score can be had.
        ConsentRequired: If a reference is not what the grant allows to process.
        ConfigurationError: If the operating point is malformed.
    """
    check(point)
    _require_granted(references, grant)
    same_model = [reference for reference in references if reference.model_digest == probe.model_digest]
    if not same_model:
        raise NotEnrolled("There is no reference of this model to compare with.")
    score = compare_mean(probe, same_model, normaliser=point.normaliser)
    # Written so that a NaN denies (R4).
    if not score >= point.threshold:
        raise Mismatch("The face is not the enrolled one.")
    return _decision(probe, same_model, point)


def identify(
    probe: Probe,
    references: Sequence[Reference],
    *,
    grants: Mapping[str, ConsentGrant],
    points: Mapping[str, OperatingPoint],
    gallery_size: int,
    target_fpir: float = TARGET_FPIR,
    margin: float = 0.0,
) -> MatchDecision:
    """Decide which one of the candidates' accounts the probe is of.

    The threshold rises with the gallery (R8; see `threshold_for_gallery`). Exactly one account may match, and it
    must lead the next by `margin` on the cosine: two that match are twins, or one person enrolled twice, and
    neither is let in.

    Args:
        probe: What was captured.
        references: All references of each account that the index nominated.
        grants: A fresh grant of each account, by account; accounts without one are not compared.
        points: The operating points of the probe's model.
        gallery_size: How many people were searched, at least as many as there are candidates.
        target_fpir: How often a search may name somebody for a face that is not in the gallery.
        margin: 0 unless it was measured to help.

    Raises:
        Mismatch: If no account matches; `SeveralMatch` if more than one does.
        ConsentRequired: If a reference is not what its account's grant allows to process.
        ConfigurationError: If no operating point holds for this gallery.
    """
    candidates: dict[str, list[Reference]] = defaultdict(list)
    for reference in references:
        if reference.account in grants and reference.model_digest == probe.model_digest:
            candidates[reference.account].append(reference)
    if not candidates:
        raise Mismatch("Nobody who agreed to be identified looks like this.")
    point = threshold_for_gallery(points, max(gallery_size, len(candidates)), target_fpir)
    for account, found in candidates.items():
        _require_granted(found, grants[account])
    if len({(grant.tenant, grant.scenario) for grant in map(grants.__getitem__, candidates)}) != 1:
        raise ConsentRequired("A search stays within one tenant and one scenario.")
    scored = {
        account: compare_mean(probe, found, normaliser=point.normaliser) for account, found in candidates.items()
    }
    ranked = sorted(((score, account) for account, score in scored.items()), reverse=True)
    best, account = ranked[0]
    if not best >= point.threshold:
        raise Mismatch("Nobody who agreed to be identified looks like this.")
    if len(ranked) > 1 and not (ranked[1][0] < point.threshold and best - ranked[1][0] >= margin):
        raise SeveralMatch("More than one person looks like this.")
    return _decision(probe, candidates[account], point)


def _require_granted(references: Sequence[Reference], grant: ConsentGrant) -> None:
    allowed = (grant.tenant, grant.account, grant.scenario, grant.consent_id)
    for reference in references:
        if (reference.tenant, reference.account, reference.scenario, reference.consent_id) != allowed:
            raise ConsentRequired("A reference is not covered by the consent at hand; it was not compared.")


def _decision(probe: Probe, references: Sequence[Reference], point: OperatingPoint) -> MatchDecision:
    nearest = max(references, key=lambda reference: compare(probe, reference))
    return MatchDecision(
        tenant=nearest.tenant,
        account=nearest.account,
        scenario=nearest.scenario,
        reference_id=nearest.reference_id,
        operating_point=point.name,
    )
