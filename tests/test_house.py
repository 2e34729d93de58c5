"""The habits of the house, checked where a reader would have to look."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import churnkit

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "churnkit"
DOOR = ("cli", "output")
MODULES = sorted(SOURCE.rglob("*.py"))

LINES_OF_A_FILE, LINES_OF_A_FUNCTION, LINES_OF_ARCHITECTURE, BYTES_OF_A_FILE = 400, 60, 100, 1_000_000
CLOCKS = {"now", "today", "utcnow", "time", "time_ns", "localtime", "gmtime"}
TIME_COLUMNS = {"ordered_at", "ordered_on", "day"}
MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(?:home|root|Users|work|opt|mnt)/\w")


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def place(path: Path, node: ast.expr | ast.stmt) -> str:
    return f"{path.relative_to(SOURCE).as_posix()}:{node.lineno}"


def below_the_door() -> Iterator[Path]:
    return (path for path in MODULES if path.relative_to(SOURCE).parts[0] not in DOOR)


@cache
def tracked() -> tuple[Path, ...]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


def test_nothing_below_the_door_prints() -> None:
    calls = [
        place(path, node)
        for path in below_the_door()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"print", "input"}
    ]
    assert calls == []


def test_nothing_below_the_door_reads_the_clock() -> None:
    calls = [
        place(path, node)
        for path in below_the_door()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCKS
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in {"datetime", "date", "time"}
    ]
    assert calls == []


def test_no_error_is_caught_by_a_class_that_fits_all() -> None:
    handlers = [
        f"{path.relative_to(SOURCE).as_posix()}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or any(isinstance(n, ast.Name) and n.id == "Exception" for n in ast.walk(node.type)))
    ]
    assert handlers == []


def cuts_time(node: ast.Compare) -> bool:
    """True where a column is compared in time: by its name, or with a cutoff."""
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    names |= {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
    texts = {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return "col" in names and (bool(texts & TIME_COLUMNS) or any("cutoff" in name for name in names))


def test_only_customers_cuts_time() -> None:
    cuts = {
        path.relative_to(SOURCE).as_posix()
        for path in MODULES
        if path.relative_to(SOURCE).parts[0] != "customers"
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Compare) and cuts_time(node)
    }
    assert cuts == {"orders/verdict.py"}, "there, dates that lie years after all others are dropped as mistakes"


def lines_of_code(function: ast.FunctionDef) -> int:
    """Without the docstring: a function may be explained at length."""
    first = function.body[0]
    begun = (first.end_lineno or first.lineno) if ast.get_docstring(function) is not None else function.lineno - 1
    return (function.end_lineno or function.lineno) - begun


def test_files_and_functions_stay_small() -> None:
    long_files = [path.name for path in MODULES if len(path.read_text("utf-8").splitlines()) > LINES_OF_A_FILE]
    long_functions = [
        f"{place(path, node)} {node.name}"
        for path in MODULES
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef) and lines_of_code(node) > LINES_OF_A_FUNCTION
    ]
    assert (long_files, long_functions) == ([], [])


def test_every_public_name_resolves_and_has_a_docstring() -> None:
    public = {name: getattr(churnkit, name) for name in churnkit.__all__}
    assert [name for name, thing in public.items() if callable(thing) and not thing.__doc__] == []


def test_the_changelog_knows_this_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert churnkit.__version__ == project["version"]
    assert f"## [{project['version']}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_no_large_file_is_tracked() -> None:
    assert [path.name for path in tracked() if path.stat().st_size > BYTES_OF_A_FILE] == []


def test_no_path_of_a_machine_is_tracked() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {hit[0]}"
        for path in tracked()
        if path.suffix not in {".parquet", ".gz", ".zst", ".xls", ".xlsx"}
        for hit in [MACHINE_PATH.search(path.read_text("utf-8", errors="replace"))]
        if hit
    ]
    assert found == []


def test_the_lock_fits_the_project_and_names_no_registry() -> None:
    lock = (ROOT / "requirements" / "dev.lock").read_text("utf-8")
    pins: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", lock, re.MULTILINE):
        pins.setdefault(name.lower(), []).append(version)
    build = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    extras = [text for texts in build["project"]["optional-dependencies"].values() for text in texts]
    asked = [*build["build-system"]["requires"], *build["project"]["dependencies"], *extras]
    wanted = [Requirement(text) for text in [*asked, *build["dependency-groups"]["dev"]]]
    unmet = [
        str(need)
        for need in wanted
        if need.name != "churnkit" and not any(v in need.specifier for v in pins.get(need.name.lower(), []))
    ]
    assert unmet == []
    assert "://" not in lock


def test_nobody_is_sent_to_the_package_of_the_same_name_on_the_index() -> None:
    """`pip install churnkit` would fetch somebody else's package; ours is installed from a checkout."""
    found = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if path != Path(__file__).resolve()
        and re.search(
            r"(?:pip|pipx|uv)\s+(?:\w+\s+)*install\s+[\"'\\]*churnkit", path.read_text("utf-8", errors="replace")
        )
    ]
    assert found == []


def test_the_architecture_is_one_page_and_every_path_in_it_exists() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    assert len(text.splitlines()) <= LINES_OF_ARCHITECTURE
    named = re.findall(r"`([\w./-]+(?:\.py|\.md|\.toml|\.lock|/))`", text)
    assert named
    assert [name for name in named if not (ROOT / name).exists() and not (SOURCE / name).exists()] == []
