"""Options: declared once, set by flag, environment or file, in this order."""

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from churnkit.cli import commands, schema
from churnkit.cli.app import run
from churnkit.cli.config import user_file
from churnkit.cli.options import Time, Until, grouped
from churnkit.orders.sample import sample_orders
from churnkit.output.json_schema import json_schema

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def churnkit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: Any) -> Run:
    """Runs a command line in an empty folder with no user file: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)

    def call(*arguments: str) -> tuple[int, str, str]:
        capfdbinary.readouterr()
        code = run(list(arguments))
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


@pytest.fixture
def orders(churnkit: Run) -> str:
    assert churnkit("sample", "--customers", "60", "-o", "orders.csv")[0] == 0
    return "orders.csv"


def horizon_of(churnkit: Run, *arguments: str) -> int:
    code, out, err = churnkit("window", *arguments, "-q", "-f", "json")
    assert code == 0, err
    days: int = json.loads(out)["horizon_days"]
    return days


def test_a_flag_beats_the_environment_beats_the_project_beats_the_user(
    churnkit: Run, orders: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / ".config" / "churnkit" / "config.toml"
    own.parent.mkdir(parents=True)
    own.write_text("horizon = 20\n")
    assert horizon_of(churnkit, orders) == 20
    (tmp_path / "churnkit.toml").write_text("horizon = 30\n")
    assert horizon_of(churnkit, orders) == 30
    (tmp_path / "named.toml").write_text("horizon = 35\n")
    assert horizon_of(churnkit, orders, "--config", "named.toml") == 35
    monkeypatch.setenv("CHURNKIT_HORIZON", "40")
    assert horizon_of(churnkit, orders) == 40
    assert horizon_of(churnkit, "--horizon", "50", orders) == 50
    assert horizon_of(churnkit, orders, "--horizon=60") == 60


def test_the_project_and_the_user_add_up(churnkit: Run, orders: str, tmp_path: Path) -> None:
    own = tmp_path / ".config" / "churnkit" / "config.toml"
    own.parent.mkdir(parents=True)
    own.write_text('horizon = 20\nformat = "json"\n')
    (tmp_path / "churnkit.toml").write_text("quiet = true\nactivity-window = 77\n")
    code, out, err = churnkit("window", orders)
    assert (code, err) == (0, "")
    assert (json.loads(out)["horizon_days"], json.loads(out)["activity_window_days"]) == (20, 77)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("\nhorizn = 3\n", "churnkit.toml:2: there is no option 'horizn'", "did you mean horizon?"),
        ("horizon = -3\n", "churnkit.toml:1: invalid value for '--horizon'", "churnkit window --help"),
        ("horizon = \n", "churnkit.toml is no TOML", "a line reads like: horizon = 90"),
        ("[horizon]\ndays = 3\n", "churnkit.toml:1: 'horizon' is a table", "write it as: horizon = ..."),
        ("config = 'x'\n", "churnkit.toml:1: there is no option 'config'", ""),
    ],
)
def test_a_wrong_configuration_is_78_and_names_the_line(
    churnkit: Run, orders: str, tmp_path: Path, text: str, message: str, hint: str
) -> None:
    (tmp_path / "churnkit.toml").write_text(text)
    code, out, err = churnkit("window", orders)
    assert (code, out) == (78, "")
    assert message in err
    assert hint in err


def test_an_option_of_another_command_is_no_mistake_in_a_file(churnkit: Run, orders: str, tmp_path: Path) -> None:
    (tmp_path / "churnkit.toml").write_text('rank-by = "risk"\nmin_risk = 0.5\n')
    assert churnkit("window", orders)[0] == 0


def test_a_configuration_file_that_is_named_must_be_there(churnkit: Run, orders: str) -> None:
    assert churnkit("window", orders, "--config", "none.toml")[0] == 78


def test_the_user_file_follows_xdg() -> None:
    assert user_file({"XDG_CONFIG_HOME": "/x"}) == Path("/x/churnkit/config.toml")
    assert user_file({"HOME": "/h"}) == Path("/h/.config/churnkit/config.toml")
    assert user_file({}) is None


@pytest.mark.parametrize(
    "arguments",
    [
        ["--horizon", "0"],
        ["--horizon", "soon"],
        ["--horizon", "1.5"],
        ["--activity-window", "-1"],
        ["--cutoff", "yesterday"],
        ["--min-risk", "70"],
        ["--rank-by", "luck"],
        ["--format", "xml"],
        ["--top", "0"],
        ["--columns", "churn"],
        ["-o", "list.doc"],
        ["--nonsense"],
    ],
)
def test_a_misuse_is_2_with_a_hint_and_nothing_on_standard_output(churnkit: Run, arguments: list[str]) -> None:
    code, out, err = churnkit("score", "none.csv", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("churnkit: error: ")
    assert len(err.splitlines()) == 2


def test_a_value_from_the_environment_is_named_as_such(churnkit: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHURNKIT_HORIZON", "soon")
    code, _, err = churnkit("score", "none.csv")
    assert code == 2
    assert "CHURNKIT_HORIZON" in err


def test_a_misspelt_command_or_option_gets_the_nearest(churnkit: Run) -> None:
    assert "'score'" in churnkit("scoer")[2]
    assert "--format" in churnkit("score", "x", "--formt", "csv")[2]


def test_every_option_has_its_name_in_the_environment() -> None:
    group = commands.door()
    for name, command in group.commands.items():
        for param in command.params:
            if param.param_type_name == "option" and param.name != "help":
                long = max(param.opts, key=len)
                assert param.envvar == f"CHURNKIT_{long[2:].replace('-', '_').upper()}", (name, param.name)


def test_an_option_is_the_same_in_every_command() -> None:
    """Same name, same flags, same default, same help; but for those that a command narrows for itself."""
    own = {"output", "seed", "customers", "model", "population"}
    seen: dict[str, tuple[object, ...]] = {}
    for command in commands.door().commands.values():
        for param in command.params:
            if param.param_type_name == "option" and param.name not in own:
                face = (param.opts, param.default, getattr(param, "help", ""))
                assert seen.setdefault(param.name, face) == face


def test_groups_spread_into_one_signature_and_come_back_together() -> None:
    taken: list[tuple[Time, int]] = []

    def command(time: Time, n: int = 3) -> None:
        taken.append((time, n))

    flat = grouped(command)
    assert list(inspect.signature(flat).parameters) == ["cutoff", "horizon", "activity_window", "n"]
    flat(cutoff=None, horizon=30, activity_window="auto", n=4)
    (time, n) = taken[0]
    assert (time.horizon_days, time.activity_window_days, n, isinstance(time, Until)) == (30, None, 4, True)


def test_every_command_has_help_with_an_example(churnkit: Run) -> None:
    for name in commands.door().commands:
        for flag in ("-h", "--help"):
            code, out, err = churnkit(name, flag)
            assert (code, err) == (0, "")
            assert out.startswith(f"Usage: churnkit {name} [OPTIONS]")
            assert f"\n  churnkit {name}" in out
            assert max(map(len, out.splitlines())) <= 80


def test_bare_churnkit_is_its_help(churnkit: Run) -> None:
    code, out, err = churnkit()
    assert (code, err) == (0, "")
    assert out == churnkit("--help")[1]
    assert [panel for panel in commands.PANELS if f"\n{panel}:\n" not in out] == []


def test_the_sample_of_the_shell_is_that_of_python(churnkit: Run) -> None:
    code, out, _ = churnkit("sample", "-f", "csv")
    assert code == 0
    assert out.count("\n") == sample_orders().height + 1


def test_every_answer_has_a_valid_schema_with_every_key_described(churnkit: Run) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    for name in schema.SHAPES:
        code, out, _ = churnkit("schema", name)
        assert code == 0
        jsonschema.Draft202012Validator.check_schema(json.loads(out))
        properties = json.loads(out)["properties"]
        assert [key for key, described in properties.items() if "description" not in described] == []
    assert churnkit("schema", "scor")[0] == 2


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("check", ["check"]),
        ("window", ["window"]),
        ("segment", ["segment"]),
        ("segment-list", ["segment", "--list"]),
        ("features", ["features"]),
    ],
)
def test_an_answer_is_as_its_schema_says(churnkit: Run, orders: str, name: str, arguments: list[str]) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    code, out, _ = churnkit(*arguments, orders, "-f", "json", "-q")
    assert code == 0
    module, function = schema.SHAPES[name]
    shape = getattr(__import__(f"churnkit.cli.{module}", fromlist=[function]), function)()
    answer = json.loads(out)
    jsonschema.validate(answer, json_schema(shape, "0"), format_checker=jsonschema.FormatChecker())
    assert list(answer["summary"]) == [term.name for term in shape.summary]
    assert list(answer[shape.rows_key][0]) == [term.name for term in shape.rows] if answer[shape.rows_key] else True
