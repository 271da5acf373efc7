"""HTTP of portfolios: the operator's book for auditors, what models were worth to it for everybody."""

from fastapi import APIRouter, Request, Response

from crowdalpha.rules.errors import Conflict
from crowdalpha.server.kit.depends import Auditing, PlatformOf, SessionOf
from crowdalpha.server.kit.files import FILE_ANSWERS, send_blob
from crowdalpha.server.kit.ids import NumberOf
from crowdalpha.server.kit.tables import Format, answer, table_answers
from crowdalpha.server.portfolios import service
from crowdalpha.server.portfolios.schemas import ContributionOut, RebalancingOut
from crowdalpha.server.rounds.service import get_round
from crowdalpha.server.sealed.service import has_opened

__all__ = ["router"]

router = APIRouter(tags=["portfolios"])


@router.get("/portfolios")
def list_portfolios(
    session: SessionOf,
    auditor: Auditing,  # noqa: ARG001  # the guard alone is wanted
) -> list[RebalancingOut]:
    """List every rebalancing by round; for auditors."""
    return [RebalancingOut.model_validate(each) for each in service.list_rebalancings(session)]


@router.head("/portfolios/{number}/weights", include_in_schema=False)
@router.get("/portfolios/{number}/weights", response_class=Response, responses=FILE_ANSWERS)
def download_weights(
    request: Request,
    session: SessionOf,
    platform: PlatformOf,
    auditor: Auditing,  # noqa: ARG001  # the guard alone is wanted
    number: NumberOf,
) -> Response:
    """Fetch the weights of a round's portfolio as Parquet; for auditors."""
    sha256 = service.get_rebalancing(session, number).weights_sha256
    return send_blob(request, platform.blobs, sha256=sha256, filename=f"weights_{number}.parquet")


@router.get("/rounds/{number}/contributions", responses=table_answers(ContributionOut))
def list_contributions(session: SessionOf, number: NumberOf, form: Format = "json") -> Response:
    """List what each model was worth to a round's reference book, once that is recorded.

    Not of rounds in which sealed submissions were opened: these numbers are made of decrypted predictions.
    """
    if has_opened(session, number=number):
        raise Conflict(f"round {number} has sealed submissions; what is made of decrypted predictions is not published")
    found = service.list_contributions(session, number=get_round(session, number).number)
    return answer(found, ContributionOut, form=form)
