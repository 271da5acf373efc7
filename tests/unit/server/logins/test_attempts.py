from datetime import UTC, datetime, timedelta

import pytest

from crowdalpha.server.logins.attempts import FORGET_AFTER, limits_of

NOW = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("n_attempts", "seconds"), [(4, 0), (5, 1), (6, 2), (9, 16), (14, 512), (15, 900), (10**6, 900)]
)
def test_each_attempt_too_many_doubles_the_wait_up_to_a_quarter_hour(n_attempts: int, seconds: int) -> None:
    pair = limits_of("ann", "192.0.2.1")[0]

    assert pair.wait(n_attempts, NOW, now=NOW + timedelta(microseconds=1)) == seconds


def test_the_wait_ends_and_is_forgotten() -> None:
    pair = limits_of("ann", "192.0.2.1")[0]

    assert pair.wait(6, NOW, now=NOW + timedelta(seconds=2)) == 0
    assert pair.wait(10**6, NOW, now=NOW + FORGET_AFTER + timedelta(seconds=1)) == 0


def test_nobody_is_kept_out_of_his_name_for_long_from_elsewhere() -> None:
    of_name = limits_of("ann", "192.0.2.1")[1]

    assert of_name == limits_of(" ANN ", "198.51.100.7")[1]
    assert of_name.wait(10**6, NOW, now=NOW + timedelta(microseconds=1)) == 60


def test_what_is_counted_under_does_not_show_the_name() -> None:
    assert all("secretive" not in limit.subject for limit in limits_of("secretive", "192.0.2.1"))
