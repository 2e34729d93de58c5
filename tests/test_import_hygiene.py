"""What may be loaded when: help loads nothing heavy, and scoring with a saved model no scikit-learn."""

import subprocess
import sys
from pathlib import Path

import pytest

import churnkit
from churnkit.cli.commands import door

HEAVY = {"polars", "numpy", "sklearn", "scipy", "joblib", "rich", "pydantic", "pandas", "pyarrow"}
SHOW = "import sys; print('LOADED', *sorted(sys.modules))"


def loaded(*arguments: str, folder: Path | None = None) -> set[str]:
    """Top-level modules that a clean interpreter has loaded after running a command line."""
    code = f"import sys; from churnkit.cli.app import run; code = run({list(arguments)!r}); {SHOW}; sys.exit(code)"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {name.split(".")[0] for name in done.stdout.rpartition("LOADED")[2].split()}


@pytest.mark.parametrize("arguments", [(), ("--help",), ("--version",), *((name, "-h") for name in door().commands)])
def test_help_loads_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert loaded(*arguments) & HEAVY == set()


def test_importing_churnkit_loads_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import churnkit; {SHOW}"], capture_output=True, text=True, check=True
    )
    assert {name.split(".")[0] for name in done.stdout.split()} & HEAVY == set()


def test_checking_a_file_loads_no_model_library(tmp_path: Path) -> None:
    assert "polars" in loaded("sample", "--customers", "30", "-o", "orders.csv", folder=tmp_path)
    assert loaded("check", "orders.csv", "-o", "check.json", folder=tmp_path) & {"sklearn", "joblib"} == set()


def test_the_verbs_are_listed_and_an_unknown_one_is_no_attribute() -> None:
    assert set(churnkit.__all__) <= set(dir(churnkit))
    with pytest.raises(AttributeError, match="no attribute 'scoer'"):
        churnkit.scoer  # noqa: B018
