"""What all tests share: the folder of real data, and a pinned terminal."""

from pathlib import Path

import pytest

REAL_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="write today's answers into the documents that are checked")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real order files; a test that needs it is skipped where it is absent."""
    if not (REAL_DATA / "DATA.md").exists():
        pytest.skip(f"the real data files are not here ({REAL_DATA.parent.name}/{REAL_DATA.name} beside the project)")
    return REAL_DATA


@pytest.fixture(autouse=True)
def _pinned_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TZ", "UTC")
