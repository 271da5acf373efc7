"""The laboratory: a synthetic market, participants honest and hostile, seasons played through the services."""

from crowdalpha.lab.config import SeasonConfig, SeasonConfigError
from crowdalpha.lab.progress import Progress, Silent
from crowdalpha.lab.season import Season, play_season, season_rulebook
from crowdalpha.lab.synthetic import SyntheticMarket, synthetic_market

__all__ = [
    "Progress",
    "Season",
    "SeasonConfig",
    "SeasonConfigError",
    "Silent",
    "SyntheticMarket",
    "play_season",
    "season_rulebook",
    "synthetic_market",
]
