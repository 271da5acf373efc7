"""Diagnostics of validation files under the names that clients know."""

import math

import strawberry

from crowdalpha.scoring import metrics
from crowdalpha.server.diagnostics.measuring import Measured
from crowdalpha.server.diagnostics.service import Diagnosis, get_diagnosis, list_diagnoses, request_diagnosis
from crowdalpha.server.numerai.asking import Asked, whole_number
from crowdalpha.server.numerai.measures import DiagnosticsOut, EraDiagnostics
from crowdalpha.server.numerai.submissions import UPLOAD, FileAuth, place_for
from crowdalpha.server.uploads.service import take_upload

__all__ = ["DiagnosticsMutations", "DiagnosticsQueries"]

READ = "read_submission_info"


@strawberry.type
class DiagnosticsRef:
    """A file that was left to be diagnosed."""

    id: strawberry.ID


@strawberry.type
class DiagnosticsQueries:
    """Questions about one's own validation files."""

    @strawberry.field
    def diagnostics_upload_auth(
        self, info: Asked, filename: str, tournament: int | None = None, model_id: str | None = None
    ) -> FileAuth:
        """Give a place to put validation predictions in."""
        return place_for(info.context, filename, tournament=tournament, model_id=model_id)

    @strawberry.field
    def diagnostics(self, info: Asked, id: str | None = None, model_id: str | None = None) -> list[DiagnosticsOut]:
        """List the diagnoses of a model, newest first, or the one that is named; clients wait for `done`."""
        asking = info.context
        account_id = asking.account(READ)
        if id is not None:
            number = whole_number(id, what="diagnosis")
            return [_shown(get_diagnosis(asking.session, number, account_id=account_id))]
        model = asking.own_model(model_id, scope=READ)
        return [_shown(each) for each in list_diagnoses(asking.session, account_id=account_id, model_id=model.id)]


@strawberry.type
class DiagnosticsMutations:
    """Leave files to be diagnosed."""

    @strawberry.mutation
    def create_diagnostics(
        self, info: Asked, filename: str, tournament: int | None = None, model_id: str | None = None
    ) -> DiagnosticsRef:
        """Leave a file that was put in its place to be diagnosed; a repeat gives what the first call gave."""
        asking = info.context
        model = asking.own_model(model_id, scope=UPLOAD, tournament=tournament)
        before = list_diagnoses(asking.session, account_id=model.account_id)
        same = next((each for each in before if each.filename == filename), None)
        if same is None:
            taken = take_upload(asking.session, account_id=model.account_id, filename=filename, now=asking.now)
            same = request_diagnosis(
                asking.session, model_id=model.id, filename=taken.filename, sha256=taken.sha256, now=asking.now
            )
        return DiagnosticsRef(id=strawberry.ID(str(same.id)))


def _shown(each: Diagnosis) -> DiagnosticsOut:
    shown = DiagnosticsOut(
        id=strawberry.ID(str(each.id)),
        status={"done": "done", "failed": "failed"}.get(each.state, "pending"),
        message=each.message,
        updated_at=each.finished_at or each.requested_at,
        trained_on_val=None,
        eras_accepted_count=None if each.measured is None else len(each.measured.eras),
        per_era_diagnostics=[] if each.measured is None else _by_era(each.measured),
    )
    if each.measured is not None:
        _fill(shown, each.measured)
    return shown


def _fill(shown: DiagnosticsOut, measured: Measured) -> None:
    """Write the means and ratios; newer names of a score have the value of the older."""
    corr, fnc, bmc = (metrics(measured.series[name]).of(0) for name in ("corr", "fnc", "bmc"))
    for prefix, figures in (("validation_corr", corr), ("validation_corr_v4", corr), ("validation_fnc_v4", fnc)):
        setattr(shown, f"{prefix}_mean", _number(figures["mean"]))
        setattr(shown, f"{prefix}_std", _number(figures["std"]))
        setattr(shown, f"{prefix}_sharpe", _number(figures["sharpe"]))
        setattr(shown, f"{prefix}_max_drawdown", _number(figures["max_drawdown"]))
    likeness = _number(metrics(measured.series["with_example"]).of(0)["mean"])
    shown.validation_corr_corr_w_example_preds = likeness
    shown.validation_corr_v4_corr_w_example_preds = likeness
    shown.example_preds_corr_mean = _number(metrics(measured.series["example_corr"]).of(0)["mean"])
    shown.validation_adjusted_sharpe = _number(corr["smart_sharpe"])
    shown.validation_apy = _number(corr["annual_percentage_yield"])
    shown.validation_autocorr = _number(corr["autocorrelation"])
    shown.validation_max_drawdown = _number(corr["max_drawdown"])
    shown.validation_bmc_mean = _number(bmc["mean"])
    shown.validation_feature_neutral_corr_mean = _number(fnc["mean"])
    shown.validation_feature_neutral_corr_v3_mean = _number(fnc["mean"])
    shown.validation_feature_corr_max = _number(metrics(measured.series["max_exposure"]).of(0)["mean"])


def _by_era(measured: Measured) -> list[EraDiagnostics]:
    series = measured.series
    return [
        EraDiagnostics(
            era=era,
            example_preds_corr=_number(series["example_corr"][place]),
            validation_bmc=_number(series["bmc"][place]),
            validation_corr=_number(series["corr"][place]),
            validation_corr_v4=_number(series["corr"][place]),
            validation_feature_corr_max=_number(series["max_exposure"][place]),
            validation_feature_neutral_corr=_number(series["fnc"][place]),
            validation_feature_neutral_corr_v3=_number(series["fnc"][place]),
            validation_fnc_v4=_number(series["fnc"][place]),
        )
        for place, era in enumerate(measured.eras)
    ]


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
