import logging

import pytest

from crowdalpha.server.log import get_log


def test_events_are_silent_by_default(capfd: pytest.CaptureFixture[str]) -> None:
    get_log("crowdalpha.server.quiet").info("round_opened", round=1)

    assert capfd.readouterr() == ("", "")


def test_events_go_to_the_standard_logger_with_their_keys(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="crowdalpha.server.loud"):
        get_log("crowdalpha.server.loud").info("round_opened", round=1, era="0001")

    assert caplog.messages == ["event='round_opened' round=1 era='0001'"]
