"""What the routes of leaderboards give."""

from crowdalpha.server.kit.shapes import AmountText, Out

__all__ = ["AccountStandingOut", "ModelStandingOut"]


class ModelStandingOut(Out):
    """One model's place; scores are means over its rounds, money is summed over them, `stake` is what it has now."""

    place: int
    model_id: int
    model: str
    account_id: int
    account: str
    n_rounds: int
    corr: float | None
    mmc: float | None
    fnc: float | None
    cwmm: float | None
    alpha: float | None
    mpc: float | None
    at_risk: AmountText
    paid: AmountText
    burned: AmountText
    profit: AmountText
    stake: AmountText


class AccountStandingOut(Out):
    """One account's place; scores are means over all rounds of all its models."""

    place: int
    account_id: int
    account: str
    n_models: int
    n_rounds: int
    corr: float | None
    mmc: float | None
    fnc: float | None
    cwmm: float | None
    alpha: float | None
    mpc: float | None
    at_risk: AmountText
    paid: AmountText
    burned: AmountText
    profit: AmountText
