from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from crowdalpha.errors import InputError
from crowdalpha.release import ManifestError
from crowdalpha.release.manifest import Manifest, file_entry
from crowdalpha.rules.errors import Conflict, NotFound
from crowdalpha.rules.ids import AccountId, ModelId
from crowdalpha.server import Platform
from crowdalpha.server.accounts.service import create_account, get_account, list_accounts
from crowdalpha.server.datasets.service import get_dataset, list_datasets, publish
from crowdalpha.server.models.service import create_model, get_model, list_models
from tests.fixtures import tournament as make


def test_an_account_repeated_by_name_is_the_same(session: Session) -> None:
    ann = create_account(session, name="ann", now=make.START)

    assert create_account(session, name="ann", now=make.START) == ann
    assert list_accounts(session) == [ann]
    assert get_account(session, ann.id) == ann


@pytest.mark.parametrize("name", ["", " ann", "a\nb", "x" * 101])
def test_a_name_is_short_printable_and_trimmed(session: Session, name: str) -> None:
    with pytest.raises(InputError, match="account name"):
        create_account(session, name=name, now=make.START)


def test_an_unknown_account_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound, match="no account 5"):
        get_account(session, AccountId(5))
    with pytest.raises(NotFound, match="no account 5"):
        create_model(session, account_id=AccountId(5), tournament_id=make.contest(session).id, name="m", now=make.START)


def test_a_model_repeated_by_name_is_the_same(session: Session) -> None:
    ann = create_account(session, name="ann", now=make.START)
    model = create_model(session, account_id=ann.id, tournament_id=make.contest(session).id, name="m", now=make.START)

    assert (
        create_model(session, account_id=ann.id, tournament_id=make.contest(session).id, name="m", now=make.START)
        == model
    )
    assert list_models(session) == [get_model(session, model.id)] == [model]


def test_a_model_name_of_another_account_is_taken(session: Session) -> None:
    ann = create_account(session, name="ann", now=make.START)
    bob = create_account(session, name="bob", now=make.START)
    create_model(session, account_id=ann.id, tournament_id=make.contest(session).id, name="m", now=make.START)

    with pytest.raises(Conflict, match="'m' is taken"):
        create_model(session, account_id=bob.id, tournament_id=make.contest(session).id, name="m", now=make.START)


def test_an_unknown_model_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound, match="no model 5"):
        get_model(session, ModelId(5))


def written(folder: Path, content: bytes) -> Path:
    (folder / "train.parquet").write_bytes(content)
    files = {"train.parquet": file_entry(folder / "train.parquet", rows=1)}
    manifest = Manifest(version="v1", kind="dataset", policy="none", inputs="none", files=files, facts={}, audit={})
    (folder / "manifest.json").write_bytes(manifest.to_bytes())
    return folder


def test_a_published_dataset_is_kept_file_by_file(platform: Platform, session: Session, tmp_path: Path) -> None:
    found = publish(session, blobs=platform.blobs, directory=written(tmp_path, b"rows"), version="v1", now=make.START)

    assert platform.blobs.get(found.files["train.parquet"]) == b"rows"
    assert platform.blobs.get(found.manifest_sha256) == (tmp_path / "manifest.json").read_bytes()
    assert get_dataset(session, "v1") == found
    assert list_datasets(session) == [found]


def test_a_version_is_published_once(platform: Platform, session: Session, tmp_path: Path) -> None:
    first = publish(session, blobs=platform.blobs, directory=written(tmp_path, b"a"), version="v1", now=make.START)

    assert publish(session, blobs=platform.blobs, directory=tmp_path, version="v1", now=make.START) == first
    with pytest.raises(Conflict, match="published with other files"):
        publish(session, blobs=platform.blobs, directory=written(tmp_path, b"b"), version="v1", now=make.START)


def test_a_folder_that_is_not_what_its_manifest_says_is_refused(
    platform: Platform, session: Session, tmp_path: Path
) -> None:
    written(tmp_path, b"rows")
    (tmp_path / "train.parquet").write_bytes(b"ROWS")

    with pytest.raises(ManifestError, match=r"train\.parquet"):
        publish(session, blobs=platform.blobs, directory=tmp_path, version="v1", now=make.START)


def test_an_unknown_dataset_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound, match="no dataset v9"):
        get_dataset(session, "v9")
