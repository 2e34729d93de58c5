"""The shipped example is what `churnkit sample` writes, and the cron job keeps its promises when things go wrong."""

import subprocess
from pathlib import Path

import pytest

from transcripts import ROOT, surroundings

EXAMPLES = ROOT / "examples"


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env=surroundings(folder), capture_output=True, text=True, check=False, timeout=120
    )


def test_the_shipped_orders_are_the_ones_that_sample_writes(tmp_path: Path) -> None:
    assert run(tmp_path, "churnkit", "sample", "--output", "orders.csv", "--quiet").returncode == 0
    made = (tmp_path / "orders.csv").read_bytes()
    assert made == (EXAMPLES / "orders.csv").read_bytes()
    assert len(made) < 300_000


@pytest.fixture
def night(tmp_path: Path) -> Path:
    (tmp_path / "orders.csv").write_bytes((EXAMPLES / "orders.csv").read_bytes())
    return tmp_path


def test_a_night_with_unusable_orders_keeps_the_list_of_yesterday(night: Path) -> None:
    job = (str(EXAMPLES / "nightly.sh"), "orders.csv", "churn.model", "at-risk.csv")
    first = run(night, *job)
    assert first.returncode == 0, first.stderr
    yesterday = (night / "at-risk.csv").read_bytes()
    model = (night / "churn.model").read_bytes()
    (night / "orders.csv").write_text("customer_id,order_date,amount\nA,yesterday,5\n")
    failed = run(night, *job)
    assert (failed.returncode, failed.stdout) == (65, "")
    assert failed.stderr.startswith("churnkit: error: ")
    assert (night / "at-risk.csv").read_bytes() == yesterday
    assert (night / "churn.model").read_bytes() == model


def test_the_cron_job_says_how_it_is_called(night: Path) -> None:
    asked = run(night, str(EXAMPLES / "nightly.sh"), "orders.csv")
    assert (asked.returncode, asked.stderr) == (2, "usage: nightly.sh ORDERS MODEL LIST\n")
