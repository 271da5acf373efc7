"""A participant's day with an unchanged numerapi: what each call gave, as JSON on standard output.

Run with the PYTHONPATH of a release. Arguments: address of the server, a folder, the name of the account, ids of its
models in tournaments 8, 11 and 12, address of a receiver of webhooks.
"""

import json
import sys
import time
from pathlib import Path

import numerapi  # type: ignore[import-not-found]  # this runs where it is installed
import numerapi.base_api  # type: ignore[import-not-found]  # the same
import pandas as pd

URL, FOLDER, NAME = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
MODELS, HOOK = dict(zip((8, 11, 12), sys.argv[4:7], strict=True)), sys.argv[7]
numerapi.base_api.API_TOURNAMENT_URL = URL

PATIENCE_S = 60

seen: dict[str, object] = {}


def step(name: str, api: object, method: str, *args: object, **options: object) -> None:
    """Note what a call gave, how it failed, or that this release does not have it."""
    if not hasattr(api, method):
        seen[name] = "absent"
        return
    try:
        seen[name] = getattr(api, method)(*args, **options)
    except Exception as error:  # noqa: BLE001  # how a step fails is what the test looks at
        seen[name] = f"{type(error).__name__}: {error}"


def frame_of(names: list[str], column: str, value: str) -> pd.DataFrame:
    """Predictions as a user makes them: a column of names, then one of numbers."""
    return pd.DataFrame({column: names, value: [(place + 1) / (len(names) + 1) for place in range(len(names))]})


def read_rounds(api: object) -> None:
    step("current_round", api, "get_current_round")
    step("round_open", api, "check_round_open")
    step("new_round", api, "check_new_round")
    step("competitions", api, "get_competitions")
    step("resolved_rounds", api, "list_rounds", status="resolved")
    step("pipeline", api, "pipeline_status", "2024-02-07")


def read_files(api: object) -> None:
    step("datasets", api, "list_datasets")
    step("features", api, "download_dataset", "v1.0/features.json", str(FOLDER / "features.json"))
    path = FOLDER / "train.parquet"
    step("train", api, "download_dataset", "v1.0/train.parquet", str(path))
    whole = path.read_bytes()
    path.rename(f"{path}.temp")
    Path(f"{path}.temp").write_bytes(whole[:1000])
    step("resumed", api, "download_dataset", "v1.0/train.parquet", str(path))
    seen["resumed_whole"] = path.read_bytes() == whole
    if numerapi.base_api.Api.download_dataset.__code__.co_argcount > 4:
        part = FOLDER / "part.parquet"
        step("filtered", api, "download_dataset", "v1.0/train.parquet", str(part), filters=[("era", "==", "0002")])
        seen["filtered_rows"] = len(pd.read_parquet(part))
    step("live", api, "download_dataset", "v1.0/live.parquet", str(FOLDER / "live.parquet"))
    seen["live_ids"] = len(pd.read_parquet(FOLDER / "live.parquet"))
    step("old_name", api, "download_dataset", "v5.0/live_int8.parquet", str(FOLDER / "old.parquet"), round_num=842)
    step("signals_file", api, "download_dataset", "signals/v2.1/live.parquet", str(FOLDER / "signals.parquet"))
    step("no_file", api, "download_dataset", "v1.0/nothing.parquet", str(FOLDER / "nothing"))


def read_account(api: object) -> None:
    step("account", api, "get_account")
    step("models", api, "get_models")
    step("transactions", api, "wallet_transactions")
    step("models_of_account", api, "models_of_account", NAME)
    step("profile", api, "public_user_profile", f"{NAME}-classic")
    step("set_bio", api, "set_bio", MODELS[8], "mostly ridge")
    step("set_link", api, "set_link", MODELS[8], "notes", "https://example.com")
    step("profile_after", api, "public_user_profile", f"{NAME}-classic")
    step("unknown_profile", api, "public_user_profile", "nobody")
    step("model_name", api, "modelid_to_modelname", MODELS[8])


def submit(api: object) -> None:
    live = pd.read_parquet(FOLDER / "live.parquet")
    names = list(live["id"])
    path = FOLDER / "my predictions.csv"
    frame_of(names, "id", "prediction").to_csv(path, index=False)
    step("upload", api, "upload_predictions", str(path), model_id=MODELS[8])
    step("upload_frame", api, "upload_predictions", df=frame_of(names[::-1], "id", "prediction"), model_id=MODELS[8])
    frame_of(names[:-1], "id", "prediction").to_csv(path, index=False)
    step("upload_short", api, "upload_predictions", str(path), model_id=MODELS[8])
    step("upload_other", api, "upload_predictions", str(path), model_id="1")
    step("submission_ids", api, "submission_ids", MODELS[8])
    step("filenames", api, "get_submission_filenames", model_id=MODELS[8])
    step("download", api, "download_submission", model_id=MODELS[8], dest_path=str(FOLDER / "mine.csv"))
    seen["downloaded"] = (FOLDER / "mine.csv").read_text().splitlines()[0]


def diagnose(api: object) -> None:
    path = FOLDER / "validation.parquet"
    step("validation", api, "download_dataset", "v1.0/validation.parquet", str(path))
    predictions = frame_of(list(pd.read_parquet(path)["id"]), "id", "prediction")
    step("upload_diagnostics", api, "upload_diagnostics", df=predictions, model_id=MODELS[8])
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        step("diagnosis", api, "diagnostics", MODELS[8], seen["upload_diagnostics"])
        if not isinstance(seen["diagnosis"], list) or seen["diagnosis"][0]["status"] != "pending":
            break
        time.sleep(0.2)
    step("diagnoses", api, "diagnostics", MODELS[8])


def stake(api: object) -> None:
    step("stake", api, "stake_get", f"{NAME}-classic")
    step("stake_up", api, "stake_increase", 0.5, MODELS[8])
    step("stake_down", api, "stake_decrease", "0.25", MODELS[8])
    step("stake_too_much", api, "stake_increase", 1e9, MODELS[8])
    step("stake_set", api, "stake_set", 40, MODELS[8])
    step("stake_after", api, "stake_get", f"{NAME}-classic")
    step("stake_drain", api, "stake_drain", MODELS[8])
    step("stake_drained", api, "stake_get", f"{NAME}-classic")


def hooks(api: object) -> None:
    step("webhook", api, "set_submission_webhook", MODELS[8], HOOK)
    trigger = "mutation($id: String!) {triggerModelWebhook(modelId: $id)}"
    step("triggered", api, "raw_query", trigger, {"id": MODELS[8]}, authorization=True)
    step("webhook_removed", api, "set_submission_webhook", MODELS[8], None)
    step("triggered_without", api, "raw_query", trigger, {"id": MODELS[8]}, authorization=True)


def read_results(api: object) -> None:
    step("scores", api, "submission_scores", MODELS[8])
    step("mmc_scores", api, "submission_scores", MODELS[8], display_name="mmc", distinct_on_round=True)
    step("performances", api, "round_model_performances_v2", MODELS[8])
    step("intra_round", api, "intra_round_scores", MODELS[8])
    step("daily", api, "daily_model_performances", f"{NAME}-classic")
    step("payouts", api, "pending_model_payouts")
    step("leaderboard", api, "get_leaderboard", 2)
    step("accounts", api, "get_account_leaderboard", 2)


def ask_for_what_is_not_done(api: object) -> None:
    model = FOLDER / "model.pkl"
    model.write_bytes(b"")
    step("model_upload", api, "model_upload", str(model), model_id=MODELS[8])
    step("data_versions", api, "model_upload_data_versions")
    step("chain", api, "v3_stake_config")


def other_tournament(api: object, tournament: int, prefix: str, column: str) -> None:
    model = MODELS[tournament]
    step(f"{prefix}_round", api, "get_current_round")
    step(f"{prefix}_datasets", api, "list_datasets")
    path = FOLDER / f"{prefix}.parquet"
    step(f"{prefix}_live", api, "download_dataset", f"{prefix}/v1.0/live.parquet", str(path))
    step(f"{prefix}_models", api, "get_models")
    frame = frame_of(list(pd.read_parquet(path)[column]), column, "signal")
    step(f"{prefix}_upload", api, "upload_predictions", df=frame, model_id=model)
    step(f"{prefix}_few", api, "upload_predictions", df=frame[:99], model_id=model)
    step(f"{prefix}_submissions", api, "submission_ids", model)
    step(f"{prefix}_stake_up", api, "stake_increase", 3, model)
    step(f"{prefix}_stake_drain", api, "stake_drain", model)
    step(f"{prefix}_leaderboard", api, "get_leaderboard", 2)
    step(f"{prefix}_daily", api, "daily_model_performances", f"{NAME}-{prefix}")
    step(f"{prefix}_pipeline", api, "pipeline_status")


options = {"verbosity": "critical", "show_progress_bars": False}
classic = numerapi.NumerAPI(**options)
for part in (
    read_rounds,
    read_files,
    read_account,
    submit,
    diagnose,
    stake,
    hooks,
    read_results,
    ask_for_what_is_not_done,
):
    part(classic)
signals = numerapi.SignalsAPI(**options)
other_tournament(signals, 11, "signals", "numerai_ticker")
signals.global_data_dir = str(FOLDER)
step("universe", signals, "ticker_universe")
other_tournament(numerapi.CryptoAPI(**options), 12, "crypto", "symbol")
wrong = numerapi.NumerAPI("A" * 32, "B" * 64, **options)
step("wrong_key", wrong, "get_account")
json.dump(seen, sys.stdout, default=str)
