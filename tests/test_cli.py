"""The commands, from a shell's point of view: real processes, real files, one small model."""

import csv
import io
import json
import os
import pty
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest

from churnkit.cli.app import run
from churnkit.predict.guards import NAMES

CHURNKIT = [sys.executable, "-m", "churnkit"]
HOSTILE = "e\x1b[2Jvil\u202e"


@dataclass(frozen=True)
class Shop:
    """A folder with an order file and a model of it."""

    folder: Path

    def run(self, *arguments: str, env: Mapping[str, str] = MappingProxyType({}), stdin: bytes = b"") -> "Ran":
        """A command line in this process, which is quicker than in one of its own."""
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            for name, value in {"HOME": str(self.folder), **env}.items():
                patch.setenv(name, value)
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            code = run(list(arguments))
        return Ran(int(code), bytes_of(out), bytes_of(err).decode())

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*CHURNKIT, *arguments],
            cwd=self.folder,
            env=environment(self.folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def bash(self, line: str) -> "Ran":
        """A line of bash in which `$churnkit` is the command."""
        line = line.replace("$churnkit", shlex.join(CHURNKIT))
        done = subprocess.run(
            ["bash", "-c", line], cwd=self.folder, env=environment(self.folder), capture_output=True, check=False
        )
        return Ran(done.returncode, done.stdout, done.stderr.decode())


@dataclass(frozen=True)
class Ran:
    """What a process answered."""

    code: int
    out: bytes
    err: str


def bytes_of(stream: io.TextIOWrapper) -> bytes:
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue()


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CHURNKIT_")}
    return kept | {"HOME": str(home)}


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    shop = Shop(tmp_path_factory.mktemp("shop"))
    assert shop.run("sample", "--customers", "120", "-o", "orders.csv").code == 0
    lines = (shop.folder / "orders.csv").read_text("utf-8").splitlines(keepends=True)
    renamed = [line.replace("C0007", f'"{HOSTILE}"').replace("C0009", "=1+1") for line in lines]
    (shop.folder / "orders.csv").write_text("".join(renamed), "utf-8")
    trained = shop.run("train", "orders.csv", "-o", "shop.model", "--horizon", "60")
    assert trained.code == 0, trained.err
    return shop


SCORE = ("score", "orders.csv", "--model", "shop.model")


def test_output_to_a_file_and_to_a_pipe_is_the_same(shop: Shop) -> None:
    for suffix in ("csv", "json", "ndjson", "parquet", "xlsx", "md", "txt"):
        name = {"md": "markdown", "txt": "table"}.get(suffix, suffix)
        piped = shop.run(*SCORE, "-f", name, "-q")
        assert (piped.code, piped.err) == (0, "")
        filed = shop.run(*SCORE, "-o", f"list.{suffix}", "-q")
        assert (filed.code, filed.out) == (0, b"")
        assert (shop.folder / f"list.{suffix}").read_bytes() == piped.out
        (shop.folder / f"list.{suffix}").unlink()


def test_a_quiet_training_says_nothing_and_writes_the_model(shop: Shop) -> None:
    told = shop.run("train", "orders.csv", "-o", "quiet.model", "-q")
    assert (told.code, told.out, told.err) == (0, b"", "")
    assert shop.run("model", "quiet.model", "-q").code == 0
    (shop.folder / "quiet.model").unlink()


def test_talk_is_on_standard_error_and_changes_nothing(shop: Shop) -> None:
    quiet, usual, loud = (shop.run(*SCORE, "-f", "csv", *flags) for flags in (["-q"], [], ["-v"]))
    assert quiet.out == usual.out == loud.out
    assert quiet.err == ""
    assert len(loud.err) > len(usual.err) > 0
    assert not set(loud.err) & set("\x1b\r")
    assert "next: churnkit explain orders.csv --id" in loud.err


def test_a_table_in_a_pipe_does_not_depend_on_the_terminal(shop: Shop) -> None:
    narrow, wide = (shop.run(*SCORE, "--population", "all", env={"COLUMNS": columns}) for columns in ("20", "200"))
    assert narrow.out == wide.out
    assert b"e\\x1b[2Jvil\\u202e" in narrow.out
    assert b"\x1b" not in narrow.out + narrow.err.encode()


def test_json_holds_the_id_as_it_is_and_csv_disarms_it(shop: Shop) -> None:
    answer = json.loads(shop.run(*SCORE, "--population", "all", "-f", "json").out)
    ids = {row["customer_id"] for row in answer["rows"]}
    assert {HOSTILE, "=1+1"} <= ids
    text = shop.run(*SCORE, "--population", "all", "-f", "csv").out.decode()
    assert "'=1+1" in {row["customer_id"] for row in csv.DictReader(io.StringIO(text, newline=""))}
    raw = shop.run(*SCORE, "--population", "all", "-f", "csv", "--raw-csv").out.decode()
    assert "=1+1" in {row["customer_id"] for row in csv.DictReader(io.StringIO(raw, newline=""))}


def test_the_answers_of_the_slow_commands_are_as_their_schemas_say(shop: Shop) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    first = json.loads(shop.run(*SCORE, "-f", "json").out)["rows"][0]["customer_id"]
    lines = {
        "score": SCORE,
        "model": ("model", "shop.model"),
        "explain": ("explain", "orders.csv", "--model", "shop.model", "--id", first),
    }
    for name, line in lines.items():
        answered = shop.run(*line, "-f", "json")
        assert answered.code == 0, answered.err
        schema = json.loads(shop.run("schema", name).out)
        jsonschema.validate(json.loads(answered.out), schema, format_checker=jsonschema.FormatChecker())


def test_top_and_min_risk_and_fail_if_any(shop: Shop) -> None:
    assert len(json.loads(shop.run(*SCORE, "--top", "3", "-f", "json").out)["rows"]) == 3
    assert shop.run(*SCORE, "--min-risk", "0.01", "--fail-if-any", "-q").code == 1
    nobody = shop.run(*SCORE, "--min-risk", "1", "--fail-if-any", "-f", "json", "-q")
    assert (nobody.code, json.loads(nobody.out)["rows"]) == (0, [])


def test_another_horizon_than_that_of_the_model_is_refused(shop: Shop) -> None:
    ran = shop.run(*SCORE, "--horizon", "30")
    assert (ran.code, ran.out) == (2, b"")
    assert "60 days, not 30" in ran.err


def test_segments_know_what_is_at_stake_where_a_model_is_given(shop: Shop) -> None:
    rows = [json.loads(line) for line in shop.run("segment", "orders.csv", "-f", "ndjson").out.splitlines()]
    assert {row["value_at_risk"] for row in rows} == {None}
    told = shop.run("segment", "orders.csv", "--model", "shop.model", "-f", "ndjson")
    assert all(json.loads(line)["churn_probability"] > 0 for line in told.out.splitlines())


def test_standard_input_is_an_order_file(shop: Shop) -> None:
    piped = shop.run(
        "score", "-", "--model", "shop.model", "-f", "csv", stdin=(shop.folder / "orders.csv").read_bytes()
    )
    assert piped.out == shop.run(*SCORE, "-f", "csv").out


def test_rejects_hold_what_was_dropped(shop: Shop) -> None:
    answer = json.loads(shop.run("check", "orders.csv", "--rejects", "rejects.csv", "-f", "json").out)
    rejects = list(csv.DictReader((shop.folder / "rejects.csv").read_text("utf-8").splitlines()))
    assert len(rejects) == sum(item["lines"] for item in answer["dropped"]) > 0
    assert rejects[0]["place"].startswith("orders.csv:")


def test_a_reader_who_goes_away_is_no_error(shop: Shop) -> None:
    ran = shop.bash("$churnkit features orders.csv -q -f csv | head -c 10 > head.txt; echo ${PIPESTATUS[0]}")
    assert ran.err == ""
    assert ran.out in (b"141\n", b"0\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_told(shop: Shop) -> None:
    for line in ("check orders.csv -f csv", "--version", "schema score"):
        assert shop.bash(f"$churnkit {line} > /dev/full").code == 74, line
    assert shop.bash("$churnkit check orders.csv -f csv 2> /dev/full > list.csv").code == 0


def test_a_closed_standard_output_is_told_and_a_closed_standard_error_is_not(shop: Shop) -> None:
    assert shop.bash("$churnkit check orders.csv -f csv >&-").code == 74
    silent = shop.bash("$churnkit check orders.csv -f csv 2>&-")
    assert (silent.code, silent.out) == (0, shop.run("check", "orders.csv", "-f", "csv").out)


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run_without_debris(shop: Shop, sent: signal.Signals, code: int) -> None:
    kept = shop.folder / "kept.csv"
    kept.write_text("old\n")
    process = shop.start("backtest", "orders.csv", "--cutoffs", "9", "-v", "-o", "kept.csv")
    assert process.stderr is not None
    assert process.stderr.readline().startswith(b"phase:")  # it works now
    process.send_signal(sent)
    _, err = process.communicate(timeout=60)
    assert process.returncode in (code, -sent)  # Polars may die of the signal itself; a shell sees no difference
    assert b"Traceback" not in err
    assert kept.read_text() == "old\n"
    assert [path.name for path in shop.folder.iterdir() if path.suffix == ".part"] == []


def test_a_bug_of_ours_is_one_line_and_debug_shows_where(shop: Shop) -> None:
    broken = "import churnkit.cli.check as check; check.CHECK_SUMMARY = None; from churnkit.cli.app import run"
    code = f"{broken}; raise SystemExit(run(['check', 'orders.csv', *{{}}]))"
    for flags in ([], ["--debug"]):
        done = subprocess.run(
            [sys.executable, "-c", code.format(flags)], cwd=shop.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 70
        assert ("Traceback" in done.stderr) is bool(flags)
        *_, error, hint = done.stderr.splitlines()
        assert error.startswith("churnkit: error: a bug of ours: TypeError")
        assert hint == "hint: run with --debug and report what it says"


def test_an_unwritable_target_is_refused_before_the_work(shop: Shop) -> None:
    for arguments in (
        ["score", "none.csv", "-o", "no/such/x.csv"],
        ["train", "none.csv", "-o", "no/such/m.model"],
        ["check", "none.csv", "--rejects", "no/such/r.csv"],
    ):
        assert shop.run(*arguments).code == 73, arguments
    assert shop.run("train", "none.csv", "-o", "-").code == 2


def on_a_terminal(
    shop: Shop, *arguments: str, columns: int = 100, env: Mapping[str, str] = MappingProxyType({})
) -> tuple[int, str]:
    """Runs a command at a pseudo-terminal; its exit code and everything that it showed."""
    child, terminal = pty.fork()
    if child == 0:  # pragma: no cover - another process
        os.chdir(shop.folder)
        os.execvpe(
            sys.executable, [*CHURNKIT, *arguments], environment(shop.folder) | {"TERM": "xterm-256color", **env}
        )
    import fcntl
    import struct
    import termios

    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    shown = b""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if select.select([terminal], [], [], 1)[0]:
            try:
                part = os.read(terminal, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            shown += part
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown.decode()


def test_a_terminal_gets_colour_and_a_bar(shop: Shop) -> None:
    code, shown = on_a_terminal(shop, *SCORE, "--population", "all", "--top", "200")
    assert code == 0
    assert "\x1b[31m" in shown
    assert "█" in shown
    assert HOSTILE not in shown
    assert "\x1b[2J" not in shown
    assert "next:" in shown


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_terminal_without_colour_gets_none(shop: Shop, name: str, value: str) -> None:
    code, shown = on_a_terminal(shop, "check", "orders.csv", env={name: value})
    assert code == 0
    assert "\x1b" not in shown


def test_csv_on_a_terminal_is_not_obeyed(shop: Shop) -> None:
    _, shown = on_a_terminal(shop, *SCORE, "--population", "all", "-f", "csv", "-q")
    assert "e\\x1b[2Jvil" in shown
    assert "\x1b" not in shown


def test_reading_orders_from_a_keyboard_is_a_misuse(shop: Shop) -> None:
    code, shown = on_a_terminal(shop, "score", "-")
    assert code == 2
    assert "nothing is coming in" in shown


def test_parquet_is_not_for_a_terminal(shop: Shop) -> None:
    assert on_a_terminal(shop, *SCORE, "-f", "parquet")[0] == 2


@pytest.mark.parametrize("command", [["score"], ["segment"], ["explain", "--id", "C0001"]], ids=lambda line: line[0])
def test_the_json_of_every_command_with_a_model_names_the_guards(shop: Shop, command: list[str]) -> None:
    ran = shop.run(*command, "orders.csv", "-m", "shop.model", "-f", "json", "--cutoff", "2030-01-01")
    assert ran.code == 0, ran.err
    answer = json.loads(ran.out)
    guards = answer["model"]["guards"]
    assert tuple(guards) == NAMES
    assert guards["stale"]
    for sentence in filter(None, guards.values()):
        assert answer["notes"].count(sentence) == 1
        assert ran.err.count(sentence) == 1


def test_a_model_trained_on_the_way_says_nothing_twice(shop: Shop) -> None:
    ran = shop.run("score", "orders.csv", "--horizon", "60", "-f", "json")
    notes = json.loads(ran.out)["notes"]
    assert len(notes) == len(set(notes))


def test_drift_can_end_a_run_with_one(shop: Shop) -> None:
    score = ("score", "orders.csv", "-m", "shop.model", "-q", "-f", "csv", "--fail-if-drift")
    assert shop.run(*score).code == 0
    drifted = shop.run(*score, "--amount", "quantity * unit_price * 100", "--cutoff", "2035-01-01")
    assert drifted.code == 1, drifted.err
    assert drifted.out  # the list is written all the same
