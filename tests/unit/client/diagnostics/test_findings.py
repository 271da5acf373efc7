import numpy as np
import pytest

from crowdalpha.client.diagnostics import Figures, Level
from crowdalpha.client.diagnostics.findings import RULES, findings_of
from tests.fixtures.diagnoses import N_ERAS, figures, scores

FLAT = np.ones(N_ERAS)
LATE = np.arange(N_ERAS) >= 60
FALL = np.where((np.arange(N_ERAS) > 20) & (np.arange(N_ERAS) < 41), -0.06, 0.06)
DRAWN_DOWN = np.where((np.arange(N_ERAS) > 20) & (np.arange(N_ERAS) < 31), -0.06, 0.03)


def levels(found: Figures) -> dict[str, Level]:
    return {finding.rule: finding.level for finding in findings_of(found)}


def test_a_good_model_has_good_findings_only() -> None:
    assert levels(figures()) == {"skill": Level.GOOD, "contribution_bmc": Level.GOOD}


@pytest.mark.parametrize(
    ("found", "rule", "level"),
    [
        (figures(corr=scores(0.03, n_eras=51)), "few_eras", Level.WATCH),
        (figures(corr=np.append(scores(0.03)[1:], np.nan)), "undefined_eras", Level.RISK),
        (figures(corr=scores(-0.001)), "skill", Level.RISK),
        (figures(bmc=scores(-0.01)), "contribution_bmc", Level.RISK),
        (figures(bmc=np.random.default_rng(1).standard_normal(N_ERAS)), "contribution_bmc", Level.WATCH),
        (figures(bmc=0 * FLAT), "contribution_bmc", Level.RISK),
        (figures(mmc=scores(0.01)), "contribution_mmc", Level.GOOD),
        (figures(with_benchmark=0.96 * FLAT), "with_benchmark", Level.RISK),
        (figures(with_benchmark=0.85 * FLAT), "with_benchmark", Level.WATCH),
        (figures(cwmm=0.85 * FLAT), "cwmm", Level.WATCH),
        (figures(fnc=scores(0.014)), "feature_neutral", Level.WATCH),
        (figures(fnc=scores(0.007)), "feature_neutral", Level.RISK),
        (figures(max_exposure=0.25 * FLAT), "max_exposure", Level.WATCH),
        (figures(max_exposure=0.35 * FLAT), "max_exposure", Level.RISK),
        (figures(exposure=0.2), "steady_exposure", Level.WATCH),
        (figures(corr=FALL), "drawdown", Level.WATCH),
        (figures(corr=DRAWN_DOWN), "drawdown", Level.WATCH),
        (figures(corr=scores(0.03) - 0.02 * LATE), "recent_eras", Level.WATCH),
        (figures(corr=scores(0.03) - 0.04 * LATE), "recent_eras", Level.RISK),
        (figures(corr=0.03 + 0.02 * np.sin(np.arange(N_ERAS) / 3)), "autocorrelation", Level.WATCH),
        (figures(corr=scores(0.003), overlap=4, tried=50), "models_tried", Level.RISK),
        (figures(churn=0.3 * FLAT), "churn", Level.WATCH),
    ],
)
def test_each_rule_speaks_at_its_threshold(found: Figures, rule: str, level: Level) -> None:
    assert rule in RULES
    assert levels(found)[rule] == level


@pytest.mark.parametrize(
    "found",
    [
        figures(with_benchmark=0.79 * FLAT, cwmm=0.79 * FLAT),
        figures(fnc=scores(0.016)),
        figures(max_exposure=0.19 * FLAT),
        figures(exposure=0.12),
        figures(corr=scores(0.03) - 0.01 * LATE),
        figures(churn=0.19 * FLAT),
        figures(tried=50),
    ],
)
def test_below_its_threshold_a_rule_is_silent(found: Figures) -> None:
    assert set(levels(found).values()) == {Level.GOOD}


def test_risks_come_first() -> None:
    found = findings_of(figures(max_exposure=0.35 * FLAT, churn=0.3 * FLAT))

    assert [finding.level for finding in found] == [Level.RISK, Level.WATCH, Level.GOOD, Level.GOOD]


def test_a_finding_names_the_worst_features_and_its_limit() -> None:
    text = findings_of(figures(max_exposure=0.35 * FLAT, exposure=0.4))[0].text

    assert "above 0.3. Worst: feature_a (+0.30), feature_b (-0.15), feature_c (+0.00)" in text


def test_nothing_scored_says_so_and_nothing_else() -> None:
    nothing = np.full(N_ERAS, np.nan)
    found = figures(corr=nothing, fnc=nothing, bmc=nothing, max_exposure=nothing, with_benchmark=nothing)

    assert levels(found) == {"undefined_eras": Level.RISK}
