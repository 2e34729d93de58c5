from pathlib import Path

import pytest

from transcripts import ROOT, documents, replay, rewritten

PATHS = documents()


@pytest.mark.parametrize("path", PATHS, ids=[path.relative_to(ROOT).as_posix() for path in PATHS])
def test_every_console_block_answers_as_documented(path: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    text = path.read_text(encoding="utf-8")
    steps = list(replay(text, tmp_path))
    assert [step.command for step in steps if "error: a bug of ours" in step.actual or "Traceback" in step.actual] == []
    if request.config.getoption("--update"):
        path.write_text(rewritten(text, steps), encoding="utf-8")
    else:
        assert rewritten(text, steps) == text, (
            "the commands answer something else now: `make update`, then read the diff"
        )


SESSION = """Before.

```console
$ echo one; echo two >&2
one
two
$ echo "took 17 seconds"; exit 3
took ... seconds
[exit 3]
$ true
```

```python
$ not run
```
"""


def test_a_session_that_holds_is_left_as_it_is(tmp_path: Path) -> None:
    steps = list(replay(SESSION, tmp_path))
    assert len(steps) == 3
    assert rewritten(SESSION, steps) == SESSION


@pytest.mark.parametrize(("right", "wrong"), [("one\ntwo\n", "one\n2\n"), ("[exit 3]", "[exit 4]")])
def test_a_wrong_answer_is_seen_and_rewritten(right: str, wrong: str, tmp_path: Path) -> None:
    today = SESSION.replace("took ...", "took 17")
    stale = today.replace(right, wrong)
    assert stale != today
    assert rewritten(stale, list(replay(stale, tmp_path))) == today


def test_a_duration_is_left_open_when_it_is_written(tmp_path: Path) -> None:
    stale = "```console\n$ echo done: 3 lines read in 2.5 s\n```\n"
    fresh = "```console\n$ echo done: 3 lines read in 2.5 s\ndone: 3 lines read in ... s\n```\n"
    assert rewritten(stale, list(replay(stale, tmp_path))) == fresh


def test_a_session_starts_from_the_shipped_examples_and_keeps_its_files(tmp_path: Path) -> None:
    text = "```console\n$ ls examples/orders.csv\n$ echo x > made\n$ cat made\n```\n"
    assert [step.actual for step in replay(text, tmp_path)] == ["examples/orders.csv\n", "", "x\n"]
