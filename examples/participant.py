"""Be a participant of a season: learn from what is published, predict the last live round, write the file.

python examples/participant.py season predictions.parquet
"""

import argparse
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crowdalpha.client import Dataset, LiveRound, check_predictions, diagnose, write_predictions

FEATURES = "medium"
PENALTY = 1_000.0


def design(data: Dataset, frame: pl.DataFrame) -> NDArray[np.float64]:
    return data.matrix(frame, FEATURES).astype(np.float64) - 2.0  # bins 0 to 4, centred


def main(season: Path, out: Path) -> None:
    data = Dataset(season / "dataset")
    train = data.read("train", feature_set=FEATURES).drop_nulls("target")
    X = design(data, train)
    y = train["target"].to_numpy() - 0.5
    weights = np.linalg.solve(X.T @ X + PENALTY * np.eye(X.shape[1]), X.T @ y)

    validation = data.read("validation", feature_set=FEATURES)
    mine = validation.select("era", "id").with_columns(prediction=pl.Series(design(data, validation) @ weights))
    found = diagnose(mine, validation, meta_model=data.example("validation"), features=data.features["small"])
    print(f"validation, {len(found.eras)} eras")
    for name, summary in found.summary.items():
        print(f"  {name:<12} mean {summary.mean:+.4f}  std {summary.std:.4f}")

    live = LiveRound(max((season / "rounds").iterdir()))
    content = write_predictions(live.ids, design(data, live.frame) @ weights)
    accepted = check_predictions(content, live_ids=live.ids)
    out.write_bytes(content)
    print(f"round {live.number}: {len(accepted.values)} predictions, valid, in {out}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Predict the last round of a season.")
    parser.add_argument("season", type=Path, help="what `make demo` left")
    parser.add_argument("out", type=Path, help="prediction file to write")
    arguments = parser.parse_args()
    main(arguments.season, arguments.out)
