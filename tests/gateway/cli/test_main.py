"""The command `fanlight`: finding subcommands, and a bare install."""

import io
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from rich.console import Console

from gateway.cli.entry import main
from gateway.cli.main import COMMANDS, EntryPointGroup, build_cli, run_cli
from gateway.cli.output import Output

ROOT = Path(__file__).resolve().parents[3]
HERE = __name__

not_a_command = 3


@click.command()
def hello() -> None:
    """Say hello."""
    click.echo("hello")


@click.command()
def seven() -> None:
    """End with a status of its own."""
    raise SystemExit(7)


def group(**values: str) -> click.Group:
    return build_cli(EntryPoint(name, value, COMMANDS) for name, value in values.items())


def python(code: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *options, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_bare_install_says_what_to_install() -> None:
    # -S: no site-packages, as if no dependency had ever been installed.
    code = (
        "import sys; sys.path.insert(0, '.'); from gateway.cli.entry import main; sys.exit(main())"
    )
    done = python(code, "-S")
    assert done.returncode == 2
    assert 'pip install "fanlight[server]"' in done.stderr
    assert "click" in done.stderr
    assert done.stdout == ""


def test_what_is_missing_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(("click", "no_such_library")) == 2
    assert "(missing: no_such_library)" in capsys.readouterr().err


def test_a_bar_is_drawn_on_a_terminal_and_only_there() -> None:
    drawn = io.StringIO()
    terminal = Output(err=Console(file=drawn, force_terminal=True))
    with terminal.progress("building") as report:
        report("reading", 0.5)
    assert "building: reading" in drawn.getvalue()


def test_only_the_chosen_command_is_imported() -> None:
    code = (
        "import sys; sys.argv = ['fanlight', 'init', '--help']; "
        "from gateway.cli.entry import main; main(); "
        "print([name for name in sys.modules if name in ('uvicorn', 'sqlalchemy', 'gateway.app')])"
    )
    done = python(code)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_command_is_found_by_its_entry_point() -> None:
    result = CliRunner().invoke(group(hello=f"{HERE}:hello"), ["hello"])
    assert result.output == "hello\n"


def test_help_lists_every_command_even_one_that_cannot_be_imported() -> None:
    cli = group(hello=f"{HERE}:hello", far="no_such_package.cli:far")
    result = CliRunner().invoke(cli, ["--help"])
    assert result.exit_code == 0
    assert "Say hello." in result.output
    assert "not available" in result.output


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("no_such_package.cli:far", "It needs no_such_package, which is not installed."),
        (f"{HERE}:not_a_command", "is not a command."),
    ],
)
def test_a_command_that_cannot_be_loaded_refuses_and_says_why(value: str, reason: str) -> None:
    result = CliRunner().invoke(group(far=value), ["far", "--some", "option"])
    assert result.exit_code == 1
    assert reason in result.output


@pytest.mark.parametrize(
    ("typed", "hint"), [("helo", "Did you mean hello?"), ("zzz", "Known: hello.")]
)
def test_an_unknown_command_is_answered_with_what_there_is(typed: str, hint: str) -> None:
    result = CliRunner().invoke(group(hello=f"{HERE}:hello"), [typed])
    assert result.exit_code == 2
    assert hint in result.output


def test_an_unknown_option_is_refused() -> None:
    assert CliRunner().invoke(group(hello=f"{HERE}:hello"), ["--nope"]).exit_code == 2


def test_the_group_knows_its_names() -> None:
    cli = group(b=f"{HERE}:hello", a=f"{HERE}:hello")
    assert isinstance(cli, EntryPointGroup)
    assert cli.list_commands(click.Context(cli)) == ["a", "b"]
    assert cli.get_command(click.Context(cli), "c") is None


@pytest.mark.parametrize(
    ("arguments", "status"), [(["--version"], 0), (["chekc"], 2), (["run", "--port", "x"], 2)]
)
def test_statuses(arguments: list[str], status: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(arguments) == status
    capsys.readouterr()


def test_an_interrupted_command_ends_with_130() -> None:
    code = (
        "import sys, click; from gateway.cli import main as m; "
        "c = click.Command('x', callback=lambda: (_ for _ in ()).throw(KeyboardInterrupt)); "
        "m.build_cli = lambda points: c; sys.exit(m.run_cli([]))"
    )
    done = python(code)
    assert done.returncode == 130
    assert "stopped" in done.stderr
