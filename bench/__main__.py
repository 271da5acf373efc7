"""Run every bench of this folder and print one table: ours against the peer, on the same data, in one process."""

import argparse
import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

from bench.measure import Row

PAGE_HEAD = """\
# Speed

Written by `make bench`, on a machine with {processors} processors; run it on yours. Ours and the peer get the same
data in one process; `wanted` is the ratio asked for, `equal` says whether all results agree to 1e-9. The last column
says which part of our time is what no exact method on the same arithmetic can do without, timed in the same run; above
100 % the kernel is faster than the plain library call for that. Memory is what the work allocates beside its input.

Everything is computed in double precision. Single precision is used in one place: the largest of many exposures is
searched in it, and whatever could be the largest, by the bound on its rounding, is computed again in doubles.
"""

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


def page(rows: list[Row]) -> str:
    """Write the rows as a page of the documentation."""
    cells = [HEADINGS, tuple("---" for _ in HEADINGS), *(row.cells() for row in rows)]
    lines = [f"| {' | '.join(line)} |" for line in cells]
    return "\n".join([PAGE_HEAD.format(processors=os.cpu_count()), *lines, ""])


def main(arguments: list[str]) -> int:
    """Run everything, or the benches named; the exit status is 1 where a result differs from the peer's."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=main.__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *benches()], help="benches to run; all if none is named")
    parser.add_argument("--page", type=Path, help="write the table to this Markdown file too")
    options = parser.parse_args(arguments)
    chosen = options.names or list(benches())
    rows = [row for name in chosen for row in benches()[name]()]
    print(table(rows))
    if options.page:
        options.page.write_text(page(rows))
    different = [row.work for row in rows if not row.equal]
    if different:
        print(f"\nnot equal to the peer: {', '.join(different)}", file=sys.stderr)
    return 1 if different else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
