from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from crowdalpha.errors import InputError
from crowdalpha.rules.bundle import RoundBundle
from crowdalpha.rules.errors import RulebookError
from crowdalpha.rules.hashing import Json
from crowdalpha.rules.ids import ModelId
from crowdalpha.rules.money import POINTS, Amount
from crowdalpha.rules.named import NamedExposures, score_named
from crowdalpha.rules.rescore import Evidence, rebuild_meta_model, rescore, score_names
from crowdalpha.rules.rulebook import ChangeRule, Rulebook, default_rulebook, read_rulebook
from crowdalpha.rules.settlement import Position
from crowdalpha.rules.verify import verify_round
from tests.fixtures.named import wide_universe
from tests.fixtures.round_bundle import make_bundle, reseal

N = 120
RNG = np.random.default_rng(4)
PREDICTIONS = RNG.uniform(size=(N, 3))
PREDICTIONS[:20, 2] = np.nan
TARGET = RNG.normal(size=N)
STAKES = np.array([60.0, 30.0, 10.0])
UNIVERSE = wide_universe(N, n_factors=4)
EXPOSURES = NamedExposures(UNIVERSE.neutralizers, UNIVERSE.sample_weights)
MODELS = (ModelId(1), ModelId(2), ModelId(3))
HASHES = ("a" * 64, "b" * 64, "c" * 64)


def named(**changes: Json) -> Rulebook:
    fields: dict[str, Json] = {"kind": "named", "multipliers": {"alpha": "0.3", "mpc": "0.8"}, "min_overlap": "0.01"}
    return read_rulebook({**default_rulebook().to_json(), **fields, **changes})


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the reference on a newer pandas
@pytest.mark.parametrize("gaps", [0, 10])
def test_alpha_and_mpc_are_those_of_the_reference(gaps: int) -> None:
    pandas, reference = pytest.importorskip("pandas"), pytest.importorskip("numerai_tools.scoring")
    target = np.where(np.arange(N) < gaps, np.nan, TARGET)
    filled = pandas.DataFrame(PREDICTIONS, index=UNIVERSE.live_ids).rank(pct=True, method="average")
    filled = ((filled * filled.count() - 0.5) / filled.count()).fillna(0.5)
    factors = pandas.DataFrame(UNIVERSE.neutralizers, index=UNIVERSE.live_ids)
    weights = pandas.Series(UNIVERSE.sample_weights, index=UNIVERSE.live_ids)
    wanted = pandas.Series(target, index=UNIVERSE.live_ids, name="target").dropna()
    kept = wanted.index
    common = (filled.loc[kept], factors.loc[kept], weights.loc[kept], wanted)
    alphas = reference.alpha(*common)
    stakes = pandas.Series(STAKES, index=filled.columns)
    contributions = reference.meta_portfolio_contribution(common[0], stakes, *common[1:])

    recorded = score_named(PREDICTIONS, at_risk=STAKES, exposures=EXPOSURES, target=target)
    assert [row["alpha"] for row in recorded] == pytest.approx(list(alphas * 1e9), rel=0, abs=1)
    assert [row["mpc"] for row in recorded] == pytest.approx(list(contributions * 1e9), rel=0, abs=1)


def test_nothing_at_risk_leaves_no_portfolio_to_contribute_to() -> None:
    recorded = score_named(PREDICTIONS, at_risk=np.zeros(3), exposures=EXPOSURES, target=TARGET)

    assert {row["mpc"] for row in recorded} == {None}
    assert None not in {row["alpha"] for row in recorded}


def test_a_target_that_the_factors_explain_pays_nobody() -> None:
    explained = UNIVERSE.neutralizers @ np.array([1.0, -2.0, 0.5, 3.0])
    centred = np.column_stack([UNIVERSE.neutralizers, np.ones(N)])
    basis = np.linalg.qr(centred * np.sqrt(UNIVERSE.sample_weights)[:, None])[0]
    both = NamedExposures(basis / np.sqrt(UNIVERSE.sample_weights)[:, None], UNIVERSE.sample_weights)
    recorded = score_named(PREDICTIONS, at_risk=STAKES, exposures=both, target=explained)

    assert {abs(row["alpha"] or 0) <= 1 for row in recorded} == {True}


def test_exposures_must_fit_together() -> None:
    with pytest.raises(InputError, match="do not fit"):
        NamedExposures(EXPOSURES.neutralizers, EXPOSURES.sample_weights[1:])


def test_rulebooks_that_are_older_than_the_fields_keep_their_hash() -> None:
    assert not {"kind", "min_assets", "change"} & default_rulebook().to_json().keys()


def test_a_named_rulebook_reads_back_as_itself() -> None:
    rulebook = named(min_assets=20, change={"max_churn": "0.15", "max_turnover": "0.25"})

    assert rulebook.change == ChangeRule(max_churn="0.15", max_turnover="0.25", lookback=5)
    assert read_rulebook(rulebook.to_json()).hash == rulebook.hash != named().hash
    assert score_names(rulebook)[-2:] == ("alpha", "mpc")
    assert "alpha" not in score_names(default_rulebook())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "obfuscated"}, "score 'alpha' is one of named tournaments"),
        ({"kind": "obfuscated", "multipliers": {"mmc": "1"}, "min_assets": 5}, "min_assets is one of named"),
        ({"kind": "obfuscated", "multipliers": {"mmc": "1"}, "change": {"max_churn": "0.1"}}, "change is one of named"),
        ({"kind": "other"}, "kind"),
        ({"min_assets": 0}, "min_assets"),
        ({"change": {}}, "limits nothing"),
        ({"change": {"max_churn": "1.5"}}, "outside"),
        ({"change": {"max_churn": "0.5", "lookback": 0}}, "lookback"),
    ],
)
def test_other_rules_are_refused(changes: dict[str, Json], message: str) -> None:
    with pytest.raises(RulebookError, match=message):
        named(**changes)


def recorded_scores() -> list[dict[str, int | None]]:
    plain = rescore(PREDICTIONS, meta_model=rebuild_meta_model(PREDICTIONS, STAKES), target=TARGET)
    more = score_named(PREDICTIONS, at_risk=STAKES, exposures=EXPOSURES, target=TARGET)
    return [{**one, **other} for one, other in zip(plain, more, strict=True)]


def bundle(
    *,
    universe_sha256: str | None = "9" * 64,
    change: Json = None,
    changes: Sequence[tuple[int, int]] | None = None,
) -> RoundBundle:
    amounts = [Amount.parse(str(stake), POINTS) for stake in STAKES]
    positions = [
        Position(model_id, at_risk, scores, at_risk, Amount.zero(POINTS))
        for model_id, at_risk, scores in zip(MODELS, amounts, recorded_scores(), strict=True)
    ]
    return make_bundle(
        positions,
        rulebook=named(change=change),
        pool=Amount.parse("1000", POINTS),
        submissions=HASHES,
        universe_sha256=universe_sha256,
        changes=changes,
    )


def evidence() -> Evidence:
    return Evidence(
        model_ids=MODELS,
        submission_sha256=HASHES,
        predictions=PREDICTIONS,
        target=TARGET,
        exposures=EXPOSURES,
        universe_sha256="9" * 64,
    )


def test_a_named_round_verifies_with_all_evidence() -> None:
    report = verify_round(bundle().to_bytes(), evidence=evidence())

    assert report.failures == ()
    assert "15 recorded scores" in report.checks[-1].detail


def test_without_exposures_alpha_and_mpc_are_left_unchecked() -> None:
    report = verify_round(bundle(), evidence=replace(evidence(), exposures=None))

    assert report.ok
    assert "9 recorded scores" in report.checks[-1].detail


@pytest.mark.parametrize(("name", "change"), [("alpha", 5), ("mpc", -5)])
def test_a_changed_score_is_found_by_who_has_the_exposures(name: str, change: int) -> None:
    plain = bundle().to_json()
    plain["resolved"]["positions"][1]["scores"][name] += change  # type: ignore[index, call-overload, operator] # plain JSON

    assert "scores" in [check.name for check in verify_round(reseal(plain), evidence=evidence()).failures]


def test_another_universe_is_found() -> None:
    other = replace(evidence(), universe_sha256="8" * 64)

    assert [check.name for check in verify_round(bundle(), evidence=other).failures] == ["submissions"]


def test_a_named_round_is_bound_to_its_universe_at_the_close() -> None:
    assert [check.name for check in verify_round(bundle(universe_sha256=None)).failures] == ["snapshot"]


@pytest.mark.parametrize(
    ("churn", "turnover", "broken"),
    [
        (149_999_999, 249_999_999, False),
        (150_000_000, 0, True),
        (0, 250_000_000, True),
    ],
)
def test_a_limit_is_broken_from_its_figure_on(churn: int, turnover: int, broken: bool) -> None:  # noqa: FBT001  # a table
    rule = ChangeRule(max_churn="0.15", max_turnover="0.25")

    assert rule.is_broken_by(churn=churn, turnover=turnover) is broken


@pytest.mark.parametrize(
    ("changes", "failures"),
    [
        ([(0, 0), (100_000_000, 10**9), (149_999_999, 0)], []),
        ([(0, 0), (150_000_000, 0), (0, 0)], ["limits"]),
        (None, ["limits"]),
    ],
)
def test_a_stake_at_risk_beyond_the_limits_is_found(
    changes: Sequence[tuple[int, int]] | None, failures: list[str]
) -> None:
    made = bundle(change={"max_churn": "0.15"}, changes=changes)

    assert [check.name for check in verify_round(made).failures] == failures


def test_exposures_of_other_assets_are_no_evidence() -> None:
    with pytest.raises(InputError, match="exposures have 119 rows"):
        replace(evidence(), exposures=NamedExposures(EXPOSURES.neutralizers[1:], EXPOSURES.sample_weights[1:]))
