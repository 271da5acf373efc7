"""`numerai_tools.submissions` without its code: is a submission valid, and what is scored of it."""

import logging

import numpy as np
import pandas as pd

from crowdalpha.scoring.numerai._align import require
from crowdalpha.scoring.numerai.scoring import tie_kept_rank

__all__ = [
    "CRYPTO_ALLOWED_ID_COLS",
    "CRYPTO_ALLOWED_PRED_COLS",
    "CRYPTO_MIN_TICKERS",
    "NUMERAI_ALLOWED_ID_COLS",
    "NUMERAI_ALLOWED_PRED_COLS",
    "SIGNALS_ALLOWED_DATE_COLS",
    "SIGNALS_ALLOWED_ID_COLS",
    "SIGNALS_ALLOWED_PRED_COLS",
    "SIGNALS_MIN_TICKERS",
    "clean_submission",
    "remap_ids",
    "validate_headers_crypto",
    "validate_headers_numerai",
    "validate_headers_signals",
    "validate_ids_crypto",
    "validate_ids_numerai",
    "validate_ids_signals",
    "validate_submission_crypto",
    "validate_submission_numerai",
    "validate_submission_signals",
    "validate_values",
]

NUMERAI_ALLOWED_ID_COLS = ["id"]
NUMERAI_ALLOWED_PRED_COLS = ["prediction", "probability"]
SIGNALS_ALLOWED_ID_COLS = ["ticker", "sedol", "bloomberg_ticker", "composite_figi", "numerai_ticker"]
SIGNALS_ALLOWED_PRED_COLS = ["prediction", "signal"]
SIGNALS_ALLOWED_DATE_COLS = ["friday_date", "date"]
SIGNALS_MIN_TICKERS = 100
CRYPTO_ALLOWED_ID_COLS = ["symbol"]
CRYPTO_ALLOWED_PRED_COLS = ["prediction", "signal"]
CRYPTO_MIN_TICKERS = 100

logger = logging.getLogger(__name__)


def validate_headers_numerai(submission: pd.DataFrame) -> tuple[str, str]:
    """Give the names of the id and the prediction column; refuse other headers."""
    return _validate_headers(submission, NUMERAI_ALLOWED_ID_COLS, NUMERAI_ALLOWED_PRED_COLS)


def validate_headers_signals(
    submission: pd.DataFrame,
    assert_date_col: bool = False,  # noqa: FBT001, FBT002  # the signature of the reference
) -> tuple[str, str, str | None]:
    """Give the names of the id, the signal and the date column; refuse other headers.

    As in the reference, a date column is taken out of the caller's frame, and put at its end if it is asked for.
    """
    date_name = next((name for name in submission.columns if name in SIGNALS_ALLOWED_DATE_COLS), None)
    dates = None if date_name is None else submission.pop(date_name)
    require(
        not assert_date_col or dates is not None, "invalid_submission_headers: submission must contain a date column"
    )
    id_name, signal_name = _validate_headers(submission, SIGNALS_ALLOWED_ID_COLS, SIGNALS_ALLOWED_PRED_COLS)
    if assert_date_col:
        submission[date_name] = dates
    return id_name, signal_name, date_name


def validate_headers_crypto(submission: pd.DataFrame) -> tuple[str, str]:
    """Give the names of the symbol and the signal column; refuse other headers."""
    return _validate_headers(submission, CRYPTO_ALLOWED_ID_COLS, CRYPTO_ALLOWED_PRED_COLS)


def validate_values(submission: pd.DataFrame, prediction_col: str) -> None:
    """Refuse NaN, values outside [0, 1] beyond rounding, and constants."""
    predictions = submission[prediction_col]
    require(not predictions.isna().any(), "invalid_submission_values: submission must not contain NaNs")
    low, high = predictions.min(), predictions.max()
    inside = (low >= 0 or np.isclose(low, 0)) and (high <= 1 or np.isclose(high, 1))
    require(inside, "invalid_submission_values: values must be between 0 and 1 exclusive")
    require(
        not np.isclose(0, predictions.std()),
        "invalid_submission_values: submission must have non-zero standard deviation",
    )


def validate_ids_numerai(live_ids: pd.Series, submission: pd.DataFrame, id_col: str) -> tuple[pd.DataFrame, list[str]]:
    """Keep the live rows, all of which must be there, and list the ids that are not live."""
    return _validate_ids(live_ids, submission, id_col, len(live_ids))


def validate_ids_signals(live_ids: pd.Series, submission: pd.DataFrame, id_col: str) -> tuple[pd.DataFrame, list[str]]:
    """Keep the live rows, 100 at least, and list the tickers that are not live."""
    return _validate_ids(live_ids, submission, id_col, SIGNALS_MIN_TICKERS)


def validate_ids_crypto(live_ids: pd.Series, submission: pd.DataFrame, id_col: str) -> tuple[pd.DataFrame, list[str]]:
    """Keep the live rows, 100 at least, and list the symbols that are not live."""
    return _validate_ids(live_ids, submission, id_col, CRYPTO_MIN_TICKERS)


def validate_submission_numerai(
    universe: pd.Series, submission: pd.DataFrame
) -> tuple[str, str, pd.DataFrame, list[str]]:
    """Check headers, ids and values; `universe` holds the live ids."""
    id_name, signal_name = validate_headers_numerai(submission)
    kept, unknown = validate_ids_numerai(universe, submission, id_name)
    validate_values(kept, signal_name)
    return id_name, signal_name, kept, unknown


def validate_submission_signals(
    universe: pd.DataFrame,
    submission: pd.DataFrame,
    assert_date_col: bool = False,  # noqa: FBT001, FBT002  # the signature of the reference
) -> tuple[str, str, str | None, pd.DataFrame, list[str]]:
    """Check headers, ids and values; a `data_type` column is taken out of the caller's frame, with a warning."""
    if "data_type" in submission.columns:
        logger.warning(
            "data_type column found in Signals submission. This is deprecated and support will be removed in the "
            "future. Please remove the data_type column from your Signals submission."
        )
        submission.pop("data_type")
    id_name, signal_name, date_name = validate_headers_signals(submission, assert_date_col)
    kept, unknown = validate_ids_signals(universe[id_name], submission, id_name)
    validate_values(kept, signal_name)
    return id_name, signal_name, date_name, kept, unknown


def validate_submission_crypto(
    universe: pd.DataFrame, submission: pd.DataFrame
) -> tuple[str, str, pd.DataFrame, list[str]]:
    """Check headers, ids and values."""
    id_name, signal_name = validate_headers_crypto(submission)
    kept, unknown = validate_ids_crypto(universe[id_name], submission, id_name)
    validate_values(kept, signal_name)
    return id_name, signal_name, kept, unknown


def remap_ids(data: pd.DataFrame, ticker_map: pd.DataFrame, src_id_col: str, dst_id_col: str) -> pd.DataFrame:
    """Join data to a map of ids, every id of which stays, and name the rows by its other ids, in their order."""
    named = data.set_index(src_id_col)
    joined = ticker_map.set_index(src_id_col, drop=False).join(named)
    return joined.reset_index(drop=True)[[dst_id_col, *named.columns]].sort_values(dst_id_col)


def clean_submission(
    universe: pd.DataFrame,
    submission: pd.DataFrame,
    src_id_col: str,
    src_signal_col: str,
    dst_id_col: str | None = None,
    dst_signal_col: str | None = None,
    rank_and_fill: bool = False,  # noqa: FBT001, FBT002  # the signature of the reference
) -> pd.Series:
    """Put a submission on the ids of the universe: of duplicates the first counts, gaps are NaN or the middle."""
    require(len(universe) > 0, "universe must not be empty")
    require(len(submission) > 0, "predictions must not be empty")
    id_name, signal_name = dst_id_col or src_id_col, dst_signal_col or src_signal_col
    joined = remap_ids(submission, universe, src_id_col, id_name).dropna(subset=[id_name])
    once = joined.drop_duplicates(subset=id_name, keep="first").set_index(id_name).sort_index()
    signal = once.rename(columns={src_signal_col: signal_name})[signal_name]
    return tie_kept_rank(signal).fillna(0.5) if rank_and_fill else signal


def _validate_headers(
    submission: pd.DataFrame, expected_id_cols: list[str], expected_pred_cols: list[str]
) -> tuple[str, str]:
    columns = list(submission.columns)
    require(
        len(columns) == 2 and columns[0] in expected_id_cols and columns[1] in expected_pred_cols,  # noqa: PLR2004  # id and signal
        f"invalid_submission_headers: headers must be one of {expected_id_cols} and one of {expected_pred_cols}",
    )
    return columns[0], columns[1]


def _validate_ids(
    live_ids: pd.Series, submission: pd.DataFrame, id_col: str, min_tickers: int
) -> tuple[pd.DataFrame, list[str]]:
    require(
        not submission[id_col].isna().any(),
        f"invalid_submission_ids: Submission must not contain NaNs in the {id_col} column.",
    )
    named = submission.assign(**{id_col: submission[id_col].astype(str)})
    live = named[named[id_col].isin(live_ids.astype(str))].sort_values(id_col)
    require(
        not live[id_col].duplicated().any(), f"invalid_submission_ids: Duplicates detected in {id_col} for live period."
    )
    require(
        len(live) >= min_tickers,
        "invalid_submission_ids: Not enough stocks submitted. Are you using the latest live ids or live universe?",
    )
    return live, list(set(named[id_col]) - set(live[id_col]))
