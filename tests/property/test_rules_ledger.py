"""A whole ledger, driven at random: staking, overlapping rounds, repeats, withdrawals and corrections.

Amounts are drawn relative to the balances that are there; independent ones would be overdrafts nearly always.
The expected balances are kept apart, in exact fractions where the rule divides.
"""

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from crowdalpha.rules import ledger
from crowdalpha.rules.errors import IdempotencyConflict, InsufficientBalance
from crowdalpha.rules.ids import AccountId, ModelId, RoundNumber
from crowdalpha.rules.ledger import AccountRef, FlowCode, Transfer, correction
from crowdalpha.rules.money import POINTS, Amount
from crowdalpha.rules.rulebook import default_rulebook
from crowdalpha.rules.settlement import Position, settle
from crowdalpha.rules.stake import amount_at_risk
from crowdalpha.testing.money import recorded_scores

RULEBOOK = default_rulebook(multipliers={"corr": "0.5", "mmc": "2"}, stake_threshold="150")
MODELS = (ModelId(1), ModelId(2), ModelId(3))
ACCOUNT = AccountId(5)
PARTS = st.sampled_from([0, 1, 250, 500, 999, 1000, 1100])
"""Thousandths of a balance; the last one is an overdraft."""


class MemoryLedger:
    """Takes batches of transfers: all of a batch or nothing, each key once."""

    def __init__(self) -> None:
        self.balances: dict[AccountRef, int] = defaultdict(int)
        self.taken: dict[str, Transfer] = {}

    def post(self, transfers: Sequence[Transfer]) -> bool:
        """Apply a batch; False where it is a repeat."""
        known = [transfer for transfer in transfers if transfer.key in self.taken]
        for transfer in known:
            if self.taken[transfer.key] != transfer:
                raise IdempotencyConflict(transfer.key)
        if known:
            return False
        after = self.balances.copy()
        for transfer in transfers:
            after[transfer.debit] -= transfer.amount.base
            after[transfer.credit] += transfer.amount.base
            if after[transfer.debit] < 0 and not transfer.debit.kind.may_be_negative:
                raise InsufficientBalance(transfer.debit, balance=after[transfer.debit], needed=transfer.amount)
        self.balances = after
        self.taken |= {transfer.key: transfer for transfer in transfers}
        return True

    def amount(self, ref: AccountRef) -> Amount:
        return Amount(self.balances[ref], POINTS)


class Season(RuleBasedStateMachine):
    """One participant with three models, and rounds that overlap."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = MemoryLedger()
        self.serial = 0
        self.open_rounds: dict[RoundNumber, dict[ModelId, Amount]] = {}
        self.settled: dict[RoundNumber, list[Transfer]] = {}
        self.burned_total = 0

    @initialize()
    def everyone_starts_with_a_stake(self) -> None:
        self.move(FlowCode.DEPOSIT, ledger.EXTERNAL, ledger.available(ACCOUNT), 10**12)
        self.move(FlowCode.FUND_REWARDS, ledger.EXTERNAL, ledger.REWARDS, 5 * 10**9)
        for model in MODELS:
            self.move(FlowCode.STAKE, ledger.available(ACCOUNT), ledger.stake(model), 10**11 // model)

    def move(self, code: FlowCode, debit: AccountRef, credit: AccountRef, base: int, key: str | None = None) -> None:
        if base == 0:
            return
        self.serial += 1
        transfer = Transfer(code, debit, credit, Amount(base, POINTS), key or f"k:{self.serial}")
        if debit.kind.may_be_negative or base <= self.ledger.balances[debit]:
            assert self.ledger.post([transfer])
            assert not self.ledger.post([transfer])
        else:
            with pytest.raises(InsufficientBalance):
                self.ledger.post([transfer])

    def part(self, ref: AccountRef, part: int) -> int:
        return self.ledger.balances[ref] * part // 1000

    @rule(model=st.sampled_from(MODELS), part=PARTS)
    def stake(self, model: ModelId, part: int) -> None:
        free = ledger.available(ACCOUNT)
        self.move(FlowCode.STAKE, free, ledger.stake(model), self.part(free, part))

    @rule(model=st.sampled_from(MODELS), part=PARTS)
    def unstake(self, model: ModelId, part: int) -> None:
        self.move(FlowCode.UNSTAKE, ledger.stake(model), ledger.unstake(model), self.part(ledger.stake(model), part))

    @precondition(lambda self: not self.open_rounds)
    @rule(model=st.sampled_from(MODELS))
    def release(self, model: ModelId) -> None:
        waiting = ledger.unstake(model)
        self.move(FlowCode.RELEASE, waiting, ledger.available(ACCOUNT), self.ledger.balances[waiting])

    @rule(part=PARTS, ends_well=st.booleans())
    def withdraw_in_two_steps(self, part: int, ends_well: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
        free, held = ledger.available(ACCOUNT), ledger.hold(ACCOUNT)
        base = min(self.part(free, part), self.ledger.balances[free])
        self.move(FlowCode.WITHDRAW_HOLD, free, held, base)
        if base == 0:
            return
        post = Transfer(FlowCode.WITHDRAW_POST, held, ledger.EXTERNAL, Amount(base, POINTS), f"end:{self.serial}")
        void = Transfer(FlowCode.WITHDRAW_VOID, held, free, Amount(base, POINTS), f"end:{self.serial}")
        first, second = (post, void) if ends_well else (void, post)
        assert self.ledger.post([first])
        with pytest.raises(IdempotencyConflict):
            self.ledger.post([second])

    @rule(part=PARTS)
    def recycle(self, part: int) -> None:
        base = min(self.part(ledger.BURNED, part), self.ledger.balances[ledger.BURNED])
        self.move(FlowCode.RECYCLE, ledger.BURNED, ledger.REWARDS, base)
        self.burned_total -= base

    @precondition(lambda self: len(self.open_rounds) < 3)
    @rule(submitted=st.sets(st.sampled_from(MODELS)))
    def close(self, submitted: set[ModelId]) -> None:
        number = RoundNumber(len(self.open_rounds) + len(self.settled) + 1)
        self.open_rounds[number] = {
            model: amount_at_risk(
                self.ledger.amount(ledger.stake(model)), submitted=model in submitted, rulebook=RULEBOOK
            )
            for model in MODELS
        }

    @precondition(lambda self: self.open_rounds)
    @rule(scores=st.lists(st.tuples(recorded_scores(), recorded_scores()), min_size=3, max_size=3))
    def resolve(self, scores: list[tuple[int | None, int | None]]) -> None:
        number = min(self.open_rounds)
        at_risk = self.open_rounds.pop(number)
        positions = [
            Position(
                model_id=model,
                at_risk=at_risk[model],
                scores={"corr": corr, "mmc": mmc},
                stake=self.ledger.amount(ledger.stake(model)),
                unstake=self.ledger.amount(ledger.unstake(model)),
            )
            for model, (corr, mmc) in zip(MODELS, scores, strict=True)
        ]
        pool = self.ledger.amount(ledger.REWARDS)
        settlement = settle(positions, number=number, rulebook=RULEBOOK, pool=pool)
        expected = expected_changes(positions, pool.base)
        before = self.ledger.balances.copy()

        self.settled[number] = list(settlement.transfers)
        self.burned_total += settlement.burned.base
        assert self.ledger.post(settlement.transfers)
        for position in positions:
            owned = (ledger.stake(position.model_id), ledger.unstake(position.model_id))
            change = sum(self.ledger.balances[ref] - before[ref] for ref in owned)
            assert abs(expected[position.model_id] - change) < slack(position)
            assert change * expected[position.model_id] >= 0

    @precondition(lambda self: any(self.settled.values()))
    @rule(data=st.data())
    def resolve_again(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from([number for number, transfers in self.settled.items() if transfers]))
        before = self.ledger.balances.copy()

        assert not self.ledger.post(self.settled[number])
        assert self.ledger.balances == before

    @precondition(lambda self: any(self.settled.values()))
    @rule(data=st.data())
    def correct(self, data: st.DataObject) -> None:
        wrong = data.draw(st.sampled_from([transfer for each in self.settled.values() for transfer in each]))
        fix = correction(wrong)
        if fix.key in self.ledger.taken or self.ledger.balances[fix.debit] >= fix.amount.base:
            if self.ledger.post([fix]) and fix.debit == ledger.BURNED:
                self.burned_total -= fix.amount.base
            return
        with pytest.raises(InsufficientBalance):
            self.ledger.post([fix])

    @invariant()
    def balances_sum_to_zero(self) -> None:
        assert sum(self.ledger.balances.values()) == 0

    @invariant()
    def only_the_outside_is_negative(self) -> None:
        assert all(base >= 0 for ref, base in self.ledger.balances.items() if ref != ledger.EXTERNAL)

    @invariant()
    def what_was_burned_is_in_its_pool(self) -> None:
        assert self.ledger.balances[ledger.BURNED] == self.burned_total


def expected_changes(positions: Sequence[Position], pool: int) -> dict[ModelId, Fraction]:
    """Compute each model's change in exact fractions: the published formula, clamped burns, scaled payouts."""
    whole = sum(position.at_risk.base for position in positions)
    factor = min(Fraction(1), Fraction(150 * 10**9, whole)) if whole else Fraction(1)
    earned: dict[ModelId, Fraction] = {}
    for position in positions:
        score = Fraction(position.scores["corr"] or 0) / 2 + 2 * (position.scores["mmc"] or 0)
        rate = max(Fraction(-1, 20), min(Fraction(1, 20), factor * score / 10**9))
        earned[position.model_id] = max(
            position.at_risk.base * rate, Fraction(-(position.stake + position.unstake).base)
        )
    wanted = sum((each for each in earned.values() if each > 0), start=Fraction(0))
    funded = min(Fraction(1), pool / wanted) if wanted else Fraction(1)
    return {model: each * funded if each > 0 else each for model, each in earned.items()}


def slack(position: Position) -> Fraction:
    """Bound what flooring may cost: a few quanta of what was at risk and a few base units.

    One quantum each for score and rate and one for the factor, times a score of at most 7.5; the floors of the
    other payouts move the ratio by which a short pool is shared, by as much again.
    """
    return Fraction(20 * position.at_risk.base, 10**9) + 4


TestSeason = Season.TestCase
TestSeason.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
