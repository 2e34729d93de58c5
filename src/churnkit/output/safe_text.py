"""Text from files, made harmless for a terminal, a spreadsheet, a log line.

Strings in data are hostile: an id may hold an escape sequence that clears the screen, a character that turns the
reading direction, a line end that fakes a log line. They are shown, never obeyed.
"""

import re

# C0, DEL and C1 controls, direction marks and overrides, line separators, byte order marks, lone surrogates.
_HOSTILE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
_STRUCTURAL = re.compile(_HOSTILE.pattern.replace("\x00-\x1f", "\x00-\x08\x0b\x0c\x0e-\x1f"))
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s'\"]+(?=@)")
_SECRETS = re.compile(r"(?i)((?:password|passwd|secret|token|signature|sig|api_?key|access_?key(?:_id)?)=)[^&\s'\";,]+")


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def safe_text(text: str) -> str:
    r"""Control and direction characters shown as escapes, the rest as it is.

    Example:
        >>> print(safe_text("e\x1b[31mvil"), safe_text("a\u202eb"), safe_text("Ångström 客户七"))
        e\x1b[31mvil a\u202eb Ångström 客户七
    """
    return text if text.isascii() and text.isprintable() else _HOSTILE.sub(_escape, text)


def safe_lines(text: str) -> str:
    """As `safe_text`, but line ends and tabs stay what they are: for CSV on a terminal."""
    return _STRUCTURAL.sub(_escape, text)


def safe_json(text: str) -> str:
    r"""JSON whose strings hold no control or direction character, and which says the same.

    Example:
        >>> print(safe_json('{"id": "a\u202eb"}'))
        {"id": "a\u202eb"}
    """
    if text.isascii():  # JSON itself escapes C0, and DEL is the one ASCII control left
        return text.replace("\x7f", "\\u007f")
    return _STRUCTURAL.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def without_secrets(text: str) -> str:
    """Passwords and tokens inside addresses replaced by `***`.

    Example:
        >>> without_secrets("no such host: postgresql://ann:s3cr3t@db/shop?sslmode=on&token=abc")
        'no such host: postgresql://***@db/shop?sslmode=on&token=***'
    """
    return _SECRETS.sub(r"\1***", _CREDENTIALS.sub("***", text))


def one_line(text: str) -> str:
    """Text for one line of talk: no secrets, no controls, line ends shown."""
    return safe_text(without_secrets(text))
