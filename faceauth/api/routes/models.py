"""Model packs, their operating points and who is enrolled with each, for administrators."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends

from faceauth.api.access import Here, caller_with
from faceauth.api.wire.models import EnrolledAnswer, ModelsAnswer, MovingAnswer, PackAnswer, PointAnswer
from faceauth.identity.apikeys import Caller
from faceauth.packs import Enrolled, PackInUse, Packs, Point

router = APIRouter(prefix="/v1/admin/models", tags=["admin"])

Reader = Annotated[Caller, Depends(caller_with("operator", "privacy", "auditor"))]


@router.get("")
def list_models(here: Here, caller: Reader) -> ModelsAnswer:
    """Every pack with its licence and what was measured, who is enrolled, and how far a change of model is."""
    found = Packs.of(here).in_use(tenant=caller.tenant)
    return ModelsAnswer(
        packs=[_pack(one) for one in found.packs],
        moving=[MovingAnswer(**asdict(one)) for one in found.moving],
        elsewhere={model: _enrolled(people) for model, people in found.elsewhere.items()},
        decides=found.decides,
        minimum=here.settings.administration.minimum_group,
    )


def _pack(one: PackInUse) -> PackAnswer:
    return PackAnswer(
        name=one.name,
        title=one.title,
        kind=one.kind,
        state=one.state,
        serves=one.serves,
        licence=one.licence,
        licence_url=one.licence_url,
        digest=one.digest,
        model=one.model,
        points=[_point(point) for point in one.points],
        enrolled=_enrolled(one.enrolled),
    )


def _point(one: Point) -> PointAnswer:
    low, high = one.fnmr.interval
    return PointAnswer(
        name=one.name,
        fmr=one.fmr,
        fmr_lower=one.fmr_lower,
        fmr_upper=one.fmr_upper,
        comparisons=one.comparisons,
        fnmr=one.fnmr.value,
        fnmr_low=low,
        fnmr_high=high,
        mated=one.fnmr.trials,
        source=one.source,
    )


def _enrolled(people: Iterable[Enrolled]) -> list[EnrolledAnswer]:
    return [EnrolledAnswer(**asdict(one)) for one in people]
