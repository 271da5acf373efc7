from crowdalpha.server.leaderboards.repository import Standing
from crowdalpha.server.leaderboards.service import _order


def standing(model_id: int, *, corr: float | None, paid: int = 0, burned: int = 0) -> Standing:
    return Standing(
        model_id=model_id,
        model=f"model-{model_id}",
        account="account",
        n_rounds=1,
        corr=corr,
        mmc=None,
        fnc=None,
        cwmm=None,
        at_risk=0,
        paid=paid,
        burned=burned,
    )


def test_undefined_means_come_last_and_ties_go_to_the_older_model() -> None:
    rows = [standing(4, corr=None), standing(3, corr=-5.0), standing(2, corr=7.0), standing(1, corr=7.0)]

    assert [row.model_id for row in sorted(rows, key=lambda row: _order(row, "corr"))] == [1, 2, 3, 4]


def test_profit_is_what_was_paid_less_what_was_burned() -> None:
    rows = [standing(1, corr=None, paid=5), standing(2, corr=None, paid=9, burned=5), standing(3, corr=None, paid=6)]

    assert [row.model_id for row in sorted(rows, key=lambda row: _order(row, "profit"))] == [3, 1, 2]
