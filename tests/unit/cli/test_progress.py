import io

import pytest
from rich.console import Console

from crowdalpha.cli.progress import LiveProgress


def console(*, terminal: bool) -> tuple[Console, io.StringIO]:
    written = io.StringIO()
    return Console(file=written, force_terminal=terminal, width=120, color_system=None), written


def test_without_a_terminal_a_stage_is_a_plain_line() -> None:
    shown, written = console(terminal=False)

    with LiveProgress(shown) as progress:
        progress.stage("reading prices", 1)
        progress.step("60 names")
        progress.stage("playing rounds", 12)

    assert written.getvalue() == "reading prices ...\nplaying rounds ...\n"


def test_on_a_terminal_a_stage_has_its_steps_and_the_newest_note() -> None:
    shown, written = console(terminal=True)

    with LiveProgress(shown) as progress:
        progress.stage("playing rounds", 12)
        progress.step("round 1 closed")
        progress.step("round 2 closed")
    last = written.getvalue().split("\n")[-2]

    assert "playing rounds" in last
    assert " 2/12 " in last
    assert "round 2 closed" in last


def test_a_finished_stage_stays_with_all_its_steps() -> None:
    shown, written = console(terminal=True)

    with LiveProgress(shown) as progress:
        progress.stage("reading prices", 1)
        progress.step("60 names")
        progress.stage("playing rounds", 12)
    lines = written.getvalue().split("\n")[-3:-1]

    assert " 1/1 " in lines[0]
    assert " 0/12 " in lines[1]
    assert "60 names" not in lines[0]


def test_a_step_before_any_stage_does_no_harm() -> None:
    shown, written = console(terminal=False)

    with LiveProgress(shown) as progress:
        progress.step("early")

    assert written.getvalue() == ""


@pytest.mark.parametrize("terminal", [True, False])
def test_the_display_is_taken_down_when_work_fails(*, terminal: bool) -> None:
    shown, _ = console(terminal=terminal)
    progress = LiveProgress(shown)

    def fail() -> None:
        with progress:
            progress.stage("playing rounds", 12)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert progress._bars.live.is_started is False
