"""A participant's day with an unchanged numerapi: what each call gave, as JSON on standard output.

Run with the PYTHONPATH of a release; arguments: address of the server, a folder, ids of the three models.
"""

import json
import sys
from pathlib import Path

import numerapi
import numerapi.base_api
import pandas as pd

URL, FOLDER = sys.argv[1], Path(sys.argv[2])
CLASSIC, SIGNALS, CRYPTO = sys.argv[3:6]
numerapi.base_api.API_TOURNAMENT_URL = URL

seen = {}


def step(name, call, *args, **options):
    """Note what a call gave, or how it failed."""
    try:
        seen[name] = call(*args, **options)
    except Exception as error:  # noqa: BLE001  # a step that fails is what the test looks at
        seen[name] = f"{type(error).__name__}: {error}"
    return seen[name]


def predictions(path, column, names, value):
    frame = pd.DataFrame({column: names, value: [(place + 1) / (len(names) + 1) for place in range(len(names))]})
    frame.to_csv(path, index=False)
    return frame


def rounds_and_files(api):
    step("current_round", api.get_current_round)
    step("round_open", api.check_round_open)
    step("new_round", api.check_new_round)
    step("competitions", api.get_competitions)
    step("datasets", api.list_datasets)
    step("features", api.download_dataset, "v1.0/features.json", str(FOLDER / "features.json"))
    part = FOLDER / "train.parquet"
    step("train", api.download_dataset, "v1.0/train.parquet", str(part))
    whole = part.read_bytes()
    part.rename(f"{part}.temp")
    Path(f"{part}.temp").write_bytes(whole[:1000])
    step("resumed", api.download_dataset, "v1.0/train.parquet", str(part))
    seen["resumed_whole"] = part.read_bytes() == whole
    step("live", api.download_dataset, "v1.0/live.parquet", str(FOLDER / "live.parquet"))
    step("old_name", api.download_dataset, "v5.0/live_int8.parquet", str(FOLDER / "old.parquet"), round_num=842)


def account(api):
    step("account", api.get_account)
    step("models", api.get_models)


def submissions(api, model, column, frame_of):
    live = pd.read_parquet(FOLDER / "live.parquet")
    names = list(live["id"] if "id" in live else live.index)
    path = FOLDER / "my predictions.csv"
    predictions(path, "id", names, "prediction")
    step("upload", api.upload_predictions, str(path), model_id=model)
    step("upload_frame", api.upload_predictions, df=predictions(path, "id", names[::-1], "prediction"), model_id=model)
    predictions(path, "id", names[:-1], "prediction")
    step("upload_short", api.upload_predictions, str(path), model_id=model)
    step("submission_ids", api.submission_ids, model)
    step("filenames", api.get_submission_filenames, model_id=model)
    step("download", api.download_submission, model_id=model, dest_path=str(FOLDER / "mine.csv"))


options = {"verbosity": "critical", "show_progress_bars": False}
classic = numerapi.NumerAPI(**options)
rounds_and_files(classic)
account(classic)
submissions(classic, CLASSIC, "id", None)
json.dump(seen, sys.stdout, default=str)
