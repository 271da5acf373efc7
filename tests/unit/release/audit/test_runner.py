from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.release.audit import ATTACKS, Subject, audit, runner
from crowdalpha.release.audit.leaks import leak_result
from tests.fixtures.leaks import blind_release, make_world, release

WORLD = make_world()


def test_every_attack_runs_and_reports() -> None:
    published, truth = release(WORLD)
    files = leak_result("files", [])
    told: list[tuple[str, float]] = []
    report = audit(
        published,
        WORLD.public,
        truth,
        rng=np.random.default_rng(0),
        subject=Subject("v1", "plain", (files,)),
        progress=lambda title, share: told.append((title, share)),
    )

    assert [result.attack for result in report.results] == [*(attack.name for attack in ATTACKS), "files"]
    assert (report.n_eras, report.n_rows, report.n_features, report.n_signals) == (40, 4000, 24, 10)
    assert [title for title, _ in told] == [*(attack.title for attack in ATTACKS), "done"]
    assert report.skipped == {}


def test_the_same_seed_gives_the_same_bytes() -> None:
    published, truth = release(WORLD, n_eras=20)
    one, two = (audit(published, WORLD.public, truth, rng=np.random.default_rng(3)) for _ in range(2))

    assert one.to_bytes() == two.to_bytes()


def test_without_prices_what_needs_them_is_skipped() -> None:
    published, truth = release(WORLD, n_eras=20)
    report = audit(published, None, truth, rng=np.random.default_rng(0))

    assert set(report.skipped) == {
        "track_public",
        "calendar",
        "tickers",
        "path_linked",
        "path_own",
        "target_sets",
        "names",
    }
    assert report.find("link_1") is not None


def test_unrelated_bins_give_a_verdict_of_chance() -> None:
    published, truth = blind_release(WORLD)
    report = audit(published, WORLD.public, truth, rng=np.random.default_rng(0))

    assert report.verdict()[0] == "No attack tried here did clearly better than chance."
    assert report.advice() == []


def test_of_many_assets_a_sample_is_attacked_but_all_rows_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "MAX_ASSETS", 60)
    published, truth = release(WORLD, n_eras=20)
    repeated = replace(published, ids=(published.ids[0], *published.ids[:19]))
    report = audit(repeated, WORLD.public, truth, rng=np.random.default_rng(0))
    linked, plain = report.find("link_1"), report.find("static")

    assert linked is not None
    assert linked.chance == pytest.approx(1 / 60)
    assert plain is not None
    assert plain.detail["words"] == ["100 of 2000 ids are used again"]
    assert report.n_rows == 2000
