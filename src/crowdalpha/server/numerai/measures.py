"""Diagnostics under the names that clients know; a name is null where the platform does not compute it."""

from datetime import datetime

import strawberry

__all__ = ["DiagnosticsOut", "EraDiagnostics"]


@strawberry.type
class EraDiagnostics:
    """Measures of the predictions for one era."""

    era: str
    example_preds_corr: float | None = None
    validation_alpha: float | None = None
    validation_bmc: float | None = None
    validation_churn: float | None = None
    validation_corr: float | None = None
    validation_corr_v4: float | None = None
    validation_feature_corr_max: float | None = None
    validation_feature_neutral_corr: float | None = None
    validation_feature_neutral_corr_v3: float | None = None
    validation_fnc_v4: float | None = None
    validation_ic_v2: float | None = None
    validation_mmc: float | None = None
    validation_ric: float | None = None


@strawberry.type(name="Diagnostics")
class DiagnosticsOut:
    """Measures of the predictions of a validation file; `status` is `done` when they are there."""

    id: strawberry.ID
    status: str
    message: str | None
    updated_at: datetime
    trained_on_val: bool | None
    eras_accepted_count: int | None
    per_era_diagnostics: list[EraDiagnostics]
    example_preds_corr_mean: float | None = None
    validation_adjusted_sharpe: float | None = None
    validation_alpha_corr_w_example_preds: float | None = None
    validation_alpha_max_drawdown: float | None = None
    validation_alpha_mean: float | None = None
    validation_alpha_sharpe: float | None = None
    validation_alpha_std: float | None = None
    validation_apy: float | None = None
    validation_autocorr: float | None = None
    validation_bmc_mean: float | None = None
    validation_corr_corr_w_example_preds: float | None = None
    validation_corr_max_drawdown: float | None = None
    validation_corr_mean: float | None = None
    validation_corr_mean_rating: float | None = None
    validation_corr_plus_mmc_mean: float | None = None
    validation_corr_plus_mmc_mean_rating: float | None = None
    validation_corr_plus_mmc_sharpe: float | None = None
    validation_corr_plus_mmc_sharpe_diff: float | None = None
    validation_corr_plus_mmc_sharpe_diff_rating: float | None = None
    validation_corr_plus_mmc_sharpe_rating: float | None = None
    validation_corr_plus_mmc_std: float | None = None
    validation_corr_plus_mmc_std_rating: float | None = None
    validation_corr_sharpe: float | None = None
    validation_corr_sharpe_rating: float | None = None
    validation_corr_std: float | None = None
    validation_corr_std_rating: float | None = None
    validation_corr_v4_corr_w_example_preds: float | None = None
    validation_corr_v4_max_drawdown: float | None = None
    validation_corr_v4_mean: float | None = None
    validation_corr_v4_sharpe: float | None = None
    validation_corr_v4_std: float | None = None
    validation_feature_corr_max: float | None = None
    validation_feature_corr_max_rating: float | None = None
    validation_feature_neutral_corr_mean: float | None = None
    validation_feature_neutral_corr_mean_rating: float | None = None
    validation_feature_neutral_corr_v3_mean: float | None = None
    validation_feature_neutral_corr_v3_mean_rating: float | None = None
    validation_fnc_v4_corr_w_example_preds: float | None = None
    validation_fnc_v4_max_drawdown: float | None = None
    validation_fnc_v4_mean: float | None = None
    validation_fnc_v4_sharpe: float | None = None
    validation_fnc_v4_std: float | None = None
    validation_ic_v2_corr_w_example_preds: float | None = None
    validation_ic_v2_max_drawdown: float | None = None
    validation_ic_v2_mean: float | None = None
    validation_ic_v2_sharpe: float | None = None
    validation_ic_v2_std: float | None = None
    validation_max_drawdown: float | None = None
    validation_max_drawdown_rating: float | None = None
    validation_mmc_mean: float | None = None
    validation_mmc_mean_rating: float | None = None
    validation_mmc_sharpe: float | None = None
    validation_mmc_sharpe_rating: float | None = None
    validation_mmc_std: float | None = None
    validation_mmc_std_rating: float | None = None
    validation_ric_corr_w_example_preds: float | None = None
    validation_ric_max_drawdown: float | None = None
    validation_ric_mean: float | None = None
    validation_ric_sharpe: float | None = None
    validation_ric_std: float | None = None
