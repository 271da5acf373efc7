"""What each step of obfuscation costs in signal and buys against the attacks of the leak gate.

`python -m bench.leaks` writes the table of a synthetic market; with `--prices` and `--universe` that of real ones too.
`--page docs/explanation/leak-gate.md` puts the tables into the page, between its marks.
"""

import argparse
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import rankdata

from crowdalpha.market import FEATURES, build_market, read_panel
from crowdalpha.release import POLICIES, Policy, ReleaseKey
from crowdalpha.release.audit import AuditReport, PublicData, Published, Truth, audit
from crowdalpha.release.layout import Layout
from crowdalpha.release.pipeline import obfuscate, obfuscate_targets

KEY = ReleaseKey(b"a key for measurements, no secret")
ERAS, TEST_ERAS, FIRST = 200, 80, 100
SYNTHETIC_ASSETS, PUBLIC_FEATURES, HIDDEN_FEATURES = 500, 24, 36
PUBLIC_NOISE = 0.2
REAL_FEATURES = 24
HORIZON_WEEKS = 4
RIDGE_SHARE = 0.05
PUBLIC, HIDDEN = "public", "hidden"
NAMES = {"link_1": "link 1", "link_13": "link 13", "tickers": "A3 tickers", "track_public": "A1+ seeds, public",
         "track_features": "A1+ seeds alone", "calendar": "A2 calendar", "names": "A5 named",
         "path_linked": "A4 linked", "path_own": "A4 own"}  # fmt: skip
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """A market as arrays: raw features (eras, assets, features), forward returns and public data of all eras."""

    raw: NDArray[np.float32]
    forward: Array
    public: PublicData
    names: dict[str, tuple[str, ...]]


def steps(*, dropping: bool) -> dict[str, Policy]:
    """Give the rows of the table: what is done to the features and targets."""
    plain = Policy("plain", fill_missing=True)
    k3 = replace(plain, group_size=3)
    rows = {
        "5 bins (`plain`)": plain,
        "2 bins": replace(plain, bins=2),
        "rotate groups of 12": replace(plain, rotate_groups=12),
        "noise 0.5 sd": replace(plain, noise_sd=0.5),
        "noise 1 sd": replace(plain, noise_sd=1.0),
        "noise 2 sd": replace(plain, noise_sd=2.0),
        "randomised response, eps 3 a cell": replace(plain, cell_epsilon=3.0),
        "randomised response, eps 2": replace(plain, cell_epsilon=2.0),
        "randomised response, eps 1": replace(plain, cell_epsilon=1.0),
        "targets randomised, eps 2": replace(plain, target_epsilon=2.0),
        "groups of 3": k3,
        "groups of 5": replace(plain, group_size=5),
        "`hardened`, nothing left out": POLICIES["hardened"],
        "`strict`, nothing left out": POLICIES["strict"],
    }
    if dropping:
        rows |= {
            "public features left out": replace(plain, drop=(PUBLIC,)),
            "`hardened`, public left out": replace(POLICIES["hardened"], drop=(PUBLIC,)),
            "`hardened`, residual on public": replace(POLICIES["hardened"], residualise_on=(PUBLIC,)),
            "`strict`, public left out": replace(POLICIES["strict"], drop=(PUBLIC,)),
        }
    return rows


def synthetic(seed: int = 0) -> Case:
    """Draw features that drift, 24 of them public, and returns that a few hidden ones and two interactions move."""
    rng = np.random.default_rng(seed)
    n_eras, n_features = FIRST + ERAS + TEST_ERAS + 60, PUBLIC_FEATURES + HIDDEN_FEATURES
    rho = rng.uniform(0.8, 0.985, n_features)
    mixing = np.linalg.qr(rng.standard_normal((n_features, n_features)))[0] * rng.uniform(0.4, 1.6, n_features)
    state = rng.standard_normal((SYNTHETIC_ASSETS, n_features))
    raw = np.empty((n_eras, *state.shape), dtype=np.float32)
    for era in range(n_eras):
        state = rho * state + np.sqrt(1 - rho**2) * rng.standard_normal(state.shape)
        raw[era] = state + 0.5 * state @ mixing
    scale = np.exp(rng.normal(0, 0.3, SYNTHETIC_ASSETS))
    weekly = scale * rng.standard_t(4, (n_eras + HORIZON_WEEKS, SYNTHETIC_ASSETS))
    weights = np.where(rng.random(n_features) < 0.5, rng.normal(0, 1, n_features), 0.0)
    drift = raw @ weights / np.sqrt((weights**2).sum()) + 0.7 * raw[:, :, 30] * raw[:, :, 31]
    forward = np.stack([weekly[era + 1 : era + 1 + HORIZON_WEEKS].sum(axis=0) for era in range(n_eras)])
    forward += 0.25 * drift / drift.std()
    noise = PUBLIC_NOISE * raw.std() * rng.standard_normal((*raw.shape[:2], PUBLIC_FEATURES))
    names = {
        PUBLIC: tuple(f"{PUBLIC}_{at:02d}" for at in range(PUBLIC_FEATURES)),
        HIDDEN: tuple(f"{HIDDEN}_{at:02d}" for at in range(HIDDEN_FEATURES)),
    }
    signals = (raw[:, :, :PUBLIC_FEATURES] + noise).astype(np.float32)
    return Case(raw, forward, PublicData(names[PUBLIC], signals, forward), names)


def real(prices: Path, universe: Path | None) -> Case:
    """Take 24 features of the market that a price file gives, of the assets that are there in all eras used."""
    groups: dict[str, list[str]] = {}
    for feature in FEATURES:
        if set(feature.needs) <= {"close", "volume"}:
            groups.setdefault(feature.group, []).append(feature.name)
    longest = max(map(len, groups.values()))
    turns = [group[turn] for turn in range(longest) for group in groups.values() if turn < len(group)]
    market = build_market(read_panel(prices, universe), features=turns[:REAL_FEATURES])
    columns = np.arange(len(market.feature_names))
    last = FIRST + ERAS + TEST_ERAS
    always = np.flatnonzero(market.universe[FIRST:last].all(axis=0))
    blocks = [
        market.feature_block(at, min(at + 16, market.n_eras))[:, always][:, :, columns]
        for at in range(0, market.n_eras, 16)
    ]
    raw = np.concatenate(blocks).astype(np.float32)
    forward = market.targets["neutral_20"][:, always]
    names = {PUBLIC: tuple(market.feature_names[column] for column in columns)}
    return Case(raw, forward, PublicData(names[PUBLIC], raw, forward), names)


def release(case: Case, policy: Policy) -> tuple[Published, Truth, Published]:
    """Publish the eras of training, and those of the test."""
    every = tuple(name for group in case.names.values() for name in group)
    layout = Layout.of_features(case.names, every, key=KEY, policy=policy, version="bench")
    eras = range(FIRST, FIRST + ERAS + TEST_ERAS)
    features, targets, ids, assets = [], [], [], []
    for era in eras:
        done = obfuscate(case.raw[era], layout=layout, key=KEY, era=era)
        target = obfuscate_targets(case.forward[era][:, None], done.groups, layout=layout, key=KEY, era=era)[:, 0]
        order = KEY.row_order(era, len(target))
        features.append(done.bins[order])
        targets.append(target[order])
        ids.append(tuple(KEY.row_ids(era, [str(asset) for asset in order])))
        assets.append(order.astype(np.int64))
    whole = Published(tuple(f"{era + 1:04d}" for era in eras), tuple(features), tuple(targets), tuple(ids))
    place = {name: at for at, name in enumerate(case.public.names)}
    sources = np.arange(len(layout.columns))
    start = 0
    for rotation in layout.rotations:
        sources[start : start + len(rotation)] = start + np.abs(rotation).argmax(axis=0)
        start += len(rotation)
    signals = np.array([place.get(every[column], -1) for column in layout.columns[sources[layout.order]]])
    train = np.arange(ERAS, dtype=np.int64)
    truth = Truth(tuple(assets), np.array(eras, dtype=np.int64), signals)
    test = whole.taken(np.arange(ERAS, ERAS + TEST_ERAS, dtype=np.int64))
    kept = replace(whole.taken(train), targets=_rationed(whole, truth, policy))
    return kept, truth.taken(train), replace(test, targets=_returns(case, truth))


def _rationed(whole: Published, truth: Truth, policy: Policy) -> tuple[Array, ...]:
    """Blank the targets beyond the eras that the policy publishes of an asset: rows that are absent name nobody."""
    if policy.eras_per_asset is None:
        return whole.targets[:ERAS]
    rng = np.random.default_rng(1)
    draws = rng.random((ERAS, 1 + max(int(assets.max()) for assets in truth.assets)))
    allowed = draws <= np.sort(draws, axis=0)[policy.eras_per_asset - 1]
    pairs = zip(whole.targets[:ERAS], truth.assets[:ERAS], allowed, strict=True)
    return tuple(np.where(ok[assets], target, np.nan) for target, assets, ok in pairs)


def _returns(case: Case, truth: Truth) -> tuple[Array, ...]:
    places = range(ERAS, ERAS + TEST_ERAS)
    return tuple(case.forward[truth.era_index[place]][truth.assets[place]] for place in places)


def utility(train: Published, test: Published) -> Array:
    """Rank correlation of a ridge with the true returns of each later era."""
    X = np.concatenate([features.astype(np.float64) for features in train.features])
    y = np.concatenate(train.targets)
    known = ~np.isnan(y)
    centre = X.mean(axis=0)
    X, y = X[known] - centre, y[known] - y[known].mean()
    gram = X.T @ X
    slopes = np.linalg.solve(gram + RIDGE_SHARE * np.trace(gram) / len(gram) * np.eye(len(gram)), X.T @ y)
    found = []
    for features, target in zip(test.features, test.targets, strict=True):
        ok = np.isfinite(target)
        ranks = ndtri((rankdata(target[ok]) - 0.5) / ok.sum())
        found.append(np.asarray(np.corrcoef(rankdata((features - centre)[ok] @ slopes), ranks))[0, 1])
    return np.array(found)


def table(case: Case, *, dropping: bool) -> list[str]:
    """Attack a release of each kind and give the rows of a Markdown table."""
    lines = ["| release | ridge kept | " + " | ".join(NAMES.values()) + " |", "|---" * (len(NAMES) + 2) + "|"]
    full, caption = 0.0, ""
    for name, policy in steps(dropping=dropping).items():
        published, truth, test = release(case, policy)
        found = utility(published, test)
        kept = float(found.mean())
        if not full:
            full, error = kept, float(found.std() / np.sqrt(len(found) / HORIZON_WEEKS))
            caption = f"On `plain` the ridge correlates {full:.3f} with later returns (standard error {error:.3f})."
        start = time.perf_counter()
        report = audit(published, case.public, truth, rng=np.random.default_rng(0))
        seconds = time.perf_counter() - start
        lines.append(f"| {name} | {kept / full:.2f} | {' | '.join(_cells(report))} |")
        sys.stderr.write(f"{lines[-1]} {seconds:.0f} s\n")
    return [caption, "", *lines]


def _cells(report: AuditReport) -> list[str]:
    cells = []
    for attack in NAMES:
        result = report.find(attack)
        if result is None:
            cells.append("-")
        elif attack == "calendar":
            found = "found" if result.success == 1 else "not found"
            cells.append(f"{found}, z {float(str(result.detail['z'])) + 0:.0f}".replace("-0", "0"))
        elif attack == "names":
            cells.append(f"{result.detail.get('named', 0)}/{result.detail['public_features']}")
        else:
            cells.append(f"{result.success:.2f}")
    return cells


def put(page: Path, mark: str, lines: list[str]) -> None:
    """Replace what stands between two marks of a page."""
    text = page.read_text(encoding="utf-8")
    begin, end = f"<!-- {mark} -->\n", f"<!-- end of {mark} -->"
    head, tail = text[: text.index(begin) + len(begin)], text[text.index(end) :]
    page.write_text(head + "\n".join(["", *lines, "", ""]) + tail, encoding="utf-8")


def main() -> None:
    """Measure and print, or write into a page."""
    parser = argparse.ArgumentParser(prog="python -m bench.leaks", description=__doc__)
    parser.add_argument("--prices", type=Path, help="price file for the table of real prices")
    parser.add_argument("--universe", type=Path, help="sectors of its assets")
    parser.add_argument("--page", type=Path, help="page to write the tables into")
    parser.add_argument("--no-synthetic", action="store_true", help="leave the synthetic market out")
    chosen = parser.parse_args()
    tables = {} if chosen.no_synthetic else {"synthetic": table(synthetic(), dropping=True)}
    if chosen.prices is not None:
        tables["real"] = table(real(chosen.prices, chosen.universe), dropping=False)
    for mark, lines in tables.items():
        print("\n".join(lines))
        if chosen.page is not None:
            put(chosen.page, mark, lines)


if __name__ == "__main__":
    main()
