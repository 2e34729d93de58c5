"""Text from files, shown and never obeyed; and values as a person reads them."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnkit.output.display import bar, percent, shorten, shown, width, wrap
from churnkit.output.safe_text import one_line, safe_json, safe_lines, safe_text, without_secrets

HOSTILE = "a\x1b[2Jb\x9b31m\u202ec\r\nd\x07\x7f\u2066\ufeff\ud800\te"


def test_a_control_or_direction_character_is_shown_as_its_escape() -> None:
    assert safe_text(HOSTILE) == ("a\\x1b[2Jb\\x9b31m\\u202ec\\x0d\\x0ad\\x07\\x7f\\u2066\\ufeff\\ud800\\x09e")


@given(st.text())
@settings(max_examples=100)
def test_safe_text_is_printable_in_one_line_and_can_be_encoded(text: str) -> None:
    safe = safe_text(text)
    safe.encode()
    assert len(safe.splitlines()) <= 1
    assert "\x1b" not in safe


def test_letters_of_other_languages_stay_as_they_are() -> None:
    assert safe_text("Ångström 客户七 שלום 👍") == "Ångström 客户七 שלום 👍"


def test_lines_of_csv_keep_their_ends_on_a_terminal() -> None:
    assert safe_lines("a,b\r\nc,\x1b[31m\n") == "a,b\r\nc,\\x1b[31m\n"


def test_json_stays_the_same_document() -> None:
    import json

    document = {"id": "a\u202eb\x9b\x7f", "plain": "客户七"}
    text = safe_json(json.dumps(document, ensure_ascii=False))
    assert json.loads(text) == document
    assert not set(text) & set("\u202e\x9b\x7f")


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("http://ann:s3cr3t@127.0.0.1/x.parquet refused", "s3cr3t"),
        ("s3://bucket/x?X-Amz-Signature=s3cr3t&v=1", "s3cr3t"),
        ("AWS_SECRET_ACCESS_KEY=s3cr3t", "s3cr3t"),
        ("dsn password=s3cr3t host=db", "s3cr3t"),
    ],
)
def test_a_secret_in_an_address_is_not_repeated(text: str, secret: str) -> None:
    assert secret not in without_secrets(text)
    assert secret not in one_line(text)


def test_values_are_shown_by_their_kind() -> None:
    assert shown(1234567.891, "money") == "1,234,567.89"
    assert shown(-3.5, "money") == "-3.50"
    assert shown(0.123, "share") == "12.3%"
    assert shown(date(2024, 2, 29), "date") == "2024-02-29"
    assert shown(12345, "integer") == "12,345"
    assert shown(True, "boolean") == "yes"
    assert shown([], "list") == shown(None, "id") == "–"
    assert shown("[red]x[/red]\x1b", "id") == "[red]x[/red]\\x1b"


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0%"), (0.004, "<1%"), (0.005, "0%"), (0.996, ">99%"), (0.99, "99%"), (1.0, "100%")]
)
def test_only_certainty_is_shown_as_certain(value: float, text: str) -> None:
    assert percent(value, digits=0) == text


@given(st.floats(-1, 2))
@settings(max_examples=50)
def test_a_bar_is_always_as_wide(probability: float) -> None:
    assert len(bar(probability)) == 8


@given(st.text(st.sampled_from("ab 客é"), max_size=60), st.integers(4, 30))
@settings(max_examples=100)
def test_wrapping_keeps_every_word_and_every_line_fits(text: str, size: int) -> None:
    lines = wrap(text, size)
    assert all(width(line) <= size for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@given(st.text(st.sampled_from("ab客é"), max_size=40), st.integers(4, 30))
@settings(max_examples=50)
def test_a_shortened_text_fits_and_says_so(text: str, size: int) -> None:
    short = shorten(text, size)
    assert width(short) <= size
    assert short == text or short.endswith("…")
