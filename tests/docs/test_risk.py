"""The pages on risk and backtests run, and the tables of the first are what the script beside it computes."""

from pathlib import Path

import pytest

from docs import risk_picture
from tests.docs.pages import DOCS, python_blocks, rows

RISK, BACKTEST = DOCS / "explanation" / "risk.md", DOCS / "how-to" / "backtest.md"


@pytest.mark.parametrize("page", [RISK, BACKTEST], ids=lambda page: page.stem)
def test_the_python_of_the_page_runs(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for block in python_blocks(page):
        exec(compile(block, page.name, "exec"), {})  # noqa: S102  # our own page, to see that it runs

    assert capsys.readouterr().out


def test_the_tables_are_what_the_script_computes() -> None:
    _, lines = risk_picture.figures()

    computed = {line[:22].strip(): [float(number) for number in line[22:].split()] for line in lines}
    table = {name: [float(cell) for cell in cells] for name, *cells in rows(RISK.read_text())}
    counted = computed.pop("factors, of 31")
    assert list(table) == list(computed)
    assert [table[name] for name in table] == [pytest.approx(computed[name], abs=0.0101) for name in table]
    assert f"finds {counted[0]:.0f}:" in RISK.read_text()
