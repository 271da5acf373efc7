"""Run every bench of this folder and print one table: ours against the peer, on the same data, in one process."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

from bench.measure import Row

HEADINGS = ("work", "peer s", "ours s", "ratio", "wanted", "equal", "peer MB", "ours MB", "share of the limit")


def benches() -> dict[str, Callable[[], list[Row]]]:
    """Find the modules next to this one that have a `run`."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))
    modules = {name: importlib.import_module(f"bench.{name}") for name in names}
    return {
        name: cast("Callable[[], list[Row]]", module.run) for name, module in modules.items() if hasattr(module, "run")
    }


def table(rows: list[Row]) -> str:
    """Lay out the rows as text, columns aligned."""
    cells = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    lines = [
        "  ".join(
            cell.ljust(width) if column in {0, len(HEADINGS) - 1} else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in cells
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])


def main() -> int:
    """Run everything; the exit status is 1 where a result differs from the peer's."""
    rows = [row for run in benches().values() for row in run()]
    print(table(rows))
    different = [row.work for row in rows if not row.equal]
    if different:
        print(f"\nnot equal to the peer: {', '.join(different)}", file=sys.stderr)
    return 1 if different else 0


if __name__ == "__main__":
    raise SystemExit(main())
