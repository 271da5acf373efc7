import sys

import pytest

from crowdalpha import __version__
from crowdalpha.cli import main
from crowdalpha.cli.app import COMMANDS, exit_code_of
from crowdalpha.errors import CrowdalphaError, InputError, RuleError


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["crowdalpha", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    return int(stop.value.code or 0)


def test_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "--version") == 0
    assert capsys.readouterr().out == f"crowdalpha {__version__}\n"


def test_no_arguments_show_the_commands(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run(monkeypatch)

    assert "demo" in capsys.readouterr().out


def test_an_unusable_option_is_one_message_and_status_two(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "demo", "--rounds", "0") == 2
    assert capsys.readouterr().err == "error: --rounds 0: must be from 1 to 260\n"


def test_a_command_whose_extra_is_absent_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(COMMANDS, "fund", "a_library_that_is_not_there.fund")

    assert run(monkeypatch, "fund", "--seed", "3") == 1
    assert capsys.readouterr().err == (
        "error: crowdalpha fund needs a_library_that_is_not_there, which is not installed: "
        "pip install 'crowdalpha[lab]'\n"
    )
    assert run(monkeypatch, "--help") == 0
    assert "Not here" in capsys.readouterr().out


@pytest.mark.parametrize(("error", "code"), [(InputError("x"), 2), (RuleError("x"), 1), (CrowdalphaError("x"), 1)])
def test_exit_codes_follow_the_error_tree(error: CrowdalphaError, code: int) -> None:
    assert exit_code_of(error) == code
