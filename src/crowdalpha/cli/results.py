"""The one screen that a season ends with."""

from rich.console import Console
from rich.table import Table

from crowdalpha.lab import Season

__all__ = ["print_results"]


def print_results(console: Console, season: Season) -> None:
    """Print the result of a season: what the crowd was worth, who earned, what the book did, where to look."""
    record, summary = season.record, season.summary
    console.print()
    table = _table("", "mean CORR", "std", "Sharpe")
    for label, key in (
        ("meta model", "meta_model"),
        ("best participant", "best_participant"),
        ("median participant", "median_participant"),
    ):
        row = summary[key]
        table.add_row(label, f"{row['corr_mean']:+.4f}", f"{row['corr_std']:.4f}", f"{row['corr_sharpe']:+.2f}")
    console.print(table)
    console.print()
    table = _table("archetype", "models", "mean CORR", "mean MMC", "profit / stake", "t")
    for result in season.archetypes:
        table.add_row(
            result.name.replace("_", " "),
            str(result.models),
            f"{result.mean_corr:+.4f}",
            f"{result.mean_mmc:+.4f}",
            f"{result.profit_per_stake:+.1%}",
            f"{result.profit_t:+.1f}",
        )
    console.print(table)
    book, money = record.book.performance, record.money
    console.print(
        f"\nportfolio after costs  {book.annual_return:+.1%} a year, volatility {book.annual_volatility:.1%}, "
        f"Sharpe {book.sharpe:+.2f}, largest drawdown {book.max_drawdown:.1%}",
        highlight=False,
    )
    console.print(
        f"ledger                 {money.paid} paid, {money.burned} burned ({money.paid.unit.code}); "
        f"{money.transfers:,} transfers, all balances sum to {money.sum_of_balances}",
        highlight=False,
    )
    console.print(
        f"{summary['rounds_resolved']} rounds resolved in {summary['seconds']} s; look at {season.report}",
        highlight=False,
    )


def _table(first: str, *others: str) -> Table:
    """Make a bare table: a column of names, then numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first, min_width=18)
    for name in others:
        table.add_column(name, justify="right")
    return table
