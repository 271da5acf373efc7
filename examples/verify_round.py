"""Verify every resolved round of a season from its evidence bundle: no server, no database.

python examples/verify_round.py season
"""

import argparse
import sys
from pathlib import Path

from crowdalpha.rules.verify import verify_round


def main(season: Path) -> int:
    bundles = sorted((season / "evidence").glob("*.json"))
    if not bundles:
        sys.exit(f"{season} holds no evidence/*.json; name the folder of a season")
    reports = {path: verify_round(path.read_bytes()) for path in bundles}
    for path, report in reports.items():
        for check in report.checks:
            print(f"{path.name}  {'ok ' if check.ok else 'BAD'}  {check.name:<10} {check.detail}")
    good = sum(report.ok for report in reports.values())
    print(f"{good} of {len(reports)} rounds verified")
    return 0 if good == len(reports) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Verify every resolved round of a season.")
    parser.add_argument("season", type=Path, help="what `make demo` left")
    sys.exit(main(parser.parse_args().season))
