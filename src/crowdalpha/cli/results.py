"""The one screen that a season ends with."""

from rich.console import Console
from rich.table import Table

from crowdalpha.lab import Season
from crowdalpha.lab.summary import in_words

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
        shown = (
            in_words(row[f"corr_{name}"], spec) for name, spec in (("mean", "+.4f"), ("std", ".4f"), ("sharpe", "+.2f"))
        )
        table.add_row(label, *shown)
    console.print(table)
    console.print()
    table = _table("archetype", "models", "mean CORR", "mean MMC", "mean TC", "profit / stake", "t")
    for result in season.archetypes:
        table.add_row(
            result.name.replace("_", " "),
            str(result.models),
            in_words(result.mean_corr, "+.4f"),
            in_words(result.mean_mmc, "+.4f"),
            in_words(summary["intervals"]["archetypes"][result.name]["tc"]["value"], "+.2%"),
            f"{result.profit_per_stake:+.1%}",
            in_words(result.profit_t, "+.1f"),
        )
    console.print(table)
    book, money = record.book.performance, record.money
    console.print(
        f"\nportfolio after costs  {book.annual_return:+.1%} a year, volatility {book.annual_volatility:.1%},\n"
        f"                       Sharpe {in_words(book.sharpe, '+.2f')}, largest drawdown {book.max_drawdown:.1%}",
        highlight=False,
    )
    intervals = summary["intervals"]
    sharpe, reference = intervals["book_sharpe"], intervals["reference_return"]
    console.print(
        f"                       95 % interval of the Sharpe {in_words(sharpe['low'], '+.2f')} to "
        f"{in_words(sharpe['high'], '+.2f')}\n"
        f"reference book         {in_words(reference['value'], '+.2%')} a round before costs, "
        f"{in_words(reference['low'], '+.2%')} to {in_words(reference['high'], '+.2%')}",
        highlight=False,
    )
    console.print(
        f"ledger                 {money.paid} paid, {money.burned} burned ({money.paid.unit.code});\n"
        f"                       {money.transfers:,} transfers, all balances sum to {money.sum_of_balances}",
        highlight=False,
    )
    console.print(
        f"{summary['rounds_resolved']} rounds resolved in {summary['seconds']} s; look at {season.report}",
        # A path may hold brackets, which are no markup, and must be whole to be copied.
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def _table(first: str, *others: str) -> Table:
    """Make a bare table: a column of names, then numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first, min_width=18)
    for name in others:
        table.add_column(name, justify="right")
    return table
