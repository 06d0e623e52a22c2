import subprocess
import sys

import pytest
import typer

from m2rec.commands import app as command_line
from m2rec.commands.app import main
from m2rec.errors import DataError


def every_command():
    yield from ([command.callback.__name__] for command in command_line.app.registered_commands)
    for group in command_line.app.registered_groups:
        yield [group.name]
        yield from ([group.name, command.callback.__name__] for command in group.typer_instance.registered_commands)


@pytest.fixture
def failing(monkeypatch):
    """The command line with an additional command that raises a given error."""

    def add(error: BaseException) -> None:
        app = typer.Typer(pretty_exceptions_enable=False)

        def fail() -> None:
            raise error

        def fine() -> None:
            pass

        app.command()(fail)
        app.command()(fine)
        monkeypatch.setattr(command_line, "app", app)

    return add


@pytest.mark.parametrize("command", list(every_command()), ids=" ".join)
def test_every_command_has_help(run, command):
    result = run(*command, "--help")
    assert result.code == 0
    assert "Usage: python -m m2rec " + " ".join(command) in result.out
    assert result.err == ""


def test_the_promised_commands_exist():
    promised = [
        "worlds",
        "prepare",
        "embed",
        "train",
        "evaluate",
        "benchmark",
        "recommend",
        "score",
        "page",
        "lessons",
        "data",
        "market",
    ]
    assert {command[0] for command in every_command()} == set(promised)
    assert ["data", "download"] in every_command()


def test_no_command_at_all_shows_the_help(run):
    assert run().out == run("--help").out
    assert run().code == 0


def test_an_expected_error_is_one_line_and_exit_code_2(run, failing):
    failing(DataError("The table log.csv\nlacks a column item."))
    result = run("fail")
    assert result.code == 2
    assert result.err == "The table log.csv lacks a column item.\n"
    assert result.out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "No such command 'nonsense'; see python -m m2rec --help."),
        (["benchmark", "nonsense"], "No such command 'nonsense'; see python -m m2rec benchmark --help."),
        (["data"], "Missing command; see python -m m2rec data --help."),
        (["train"], "Missing argument 'world'; see python -m m2rec train --help."),
        (["worlds", "--colour"], "No such option: --colour; see python -m m2rec worlds --help."),
        (["market", "export", "--customers", "-3"], "see python -m m2rec market export --help."),
        (["benchmark", "speed", "--colour"], "No such option: --colour; see python -m m2rec benchmark speed --help."),
        (["evaluate", "--split", "training"], "see python -m m2rec evaluate --help."),
    ],
)
def test_a_mistyped_command_line_gives_one_line_that_points_to_the_help(run, arguments, message):
    result = run(*arguments)
    assert result.code == 2
    assert message in result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("command", [["recommend"], ["evaluate"], ["worlds", "--json"], ["prepare"]], ids=" ".join)
def test_a_name_too_long_for_a_file_is_refused_in_one_line(run, command):
    result = run(*command, "x" * 5000)
    assert result.code == 2
    assert result.err.count("\n") == 1
    assert len(result.err) < 700


def test_a_file_that_cannot_be_read_or_written_is_named_in_one_line(run, failing):
    failing(PermissionError(13, "Permission denied", "/root/log.csv"))
    result = run("fail")
    assert (result.code, result.err) == (
        2,
        "/root/log.csv cannot be read or written (Permission denied); give another path.\n",
    )


@pytest.mark.parametrize("command", [["lessons", "--out"], ["market", "shoppers"]], ids=" ".join)
def test_a_path_below_a_file_is_refused_in_one_line(run, tmp_path, command):
    (tmp_path / "file").write_text("")
    result = run(*command, tmp_path / "file" / "out" / "s.csv")
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "cannot be read or written (Not a directory)" in result.err


def test_an_interrupt_is_one_line_and_exit_code_130(run, failing):
    failing(KeyboardInterrupt())
    result = run("fail")
    assert (result.code, result.err) == (130, "Interrupted.\n")


def test_a_missing_package_is_named_with_the_command_that_installs_it(run, failing):
    failing(ModuleNotFoundError("No module named 'accelerate'", name="accelerate.utils"))
    result = run("fail")
    assert result.code == 2
    assert result.err == (
        "This needs the package accelerate, which is not installed; run pip install -r requirements.txt, and "
        "to train also pip install -r requirements-train.txt.\n"
    )


@pytest.mark.parametrize(
    "bug", [ZeroDivisionError(), OSError(5, "no file"), ModuleNotFoundError("no", name="m2rec.nonsense")], ids=repr
)
def test_a_bug_is_not_reported_as_bad_input(failing, bug):
    failing(bug)
    with pytest.raises(type(bug)):
        main(["fail"])


def test_help_imports_nothing_heavy():
    heavy = {"torch", "pandas", "gradio", "sentence_transformers", "scipy", "accelerate"}
    code = (
        "import sys; from m2rec.commands.app import main; main(['--help']); "
        f"sys.exit(str(sorted({heavy} & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == "[]"


def test_the_module_runs_as_a_program_and_returns_the_exit_code():
    done = subprocess.run([sys.executable, "-m", "m2rec", "nonsense"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("No such command")
