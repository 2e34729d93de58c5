"""What a file is, told from its first bytes: compression, format, encoding. Suffixes decide nothing."""

import codecs
import re
from pathlib import PurePath

from churnkit.errors import DataError, UsageError

HEAD_BYTES = 1 << 16

FORMATS = ("csv", "parquet", "ndjson", "json", "ipc", "xlsx", "xls", "sqlite", "duckdb")
_ALIASES = {"tsv": "csv", "txt": "csv", "jsonl": "ndjson", "arrow": "ipc", "feather": "ipc", "excel": "xlsx"}

_PACKINGS = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"PK\3\4", "zip"),
)
_MAGIC = (
    (b"PAR1", "parquet"),
    (b"ARROW1", "ipc"),
    (b"\xff\xff\xff\xff", "ipc"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"),
    (b"SQLite format 3\0", "sqlite"),
)
_FOREIGN = (
    (b"%PDF", "a PDF"),
    (b"\x80\x04\x95", "a Python pickle, which is never read"),
    (b"\x80\x05\x95", "a Python pickle, which is never read"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"Obj\1", "an Avro file"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SUFFIXES = {
    **dict.fromkeys((".csv", ".tsv", ".tab", ".txt"), "csv"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    **dict.fromkeys((".ndjson", ".jsonl"), "ndjson"),
    **dict.fromkeys((".arrow", ".ipc", ".feather"), "ipc"),
    **dict.fromkeys((".sqlite", ".sqlite3"), "sqlite"),
    **{f".{name}": name for name in ("json", "xlsx", "xls", "duckdb")},
}


def format_named(name: str) -> str:
    """The format that the user named.

    Example:
        >>> format_named("CSV"), format_named("jsonl")
        ('csv', 'ndjson')
    """
    known = _ALIASES.get(name.lower(), name.lower())
    if known not in FORMATS:
        raise UsageError(f"unknown input format {name!r}", hint=f"known are {', '.join(FORMATS)}")
    return known


def packing_of(head: bytes) -> str | None:
    r"""The compression that the first bytes show, None without.

    Example:
        >>> packing_of(b"\x1f\x8b\x08"), packing_of(b"id,date")
        ('gzip', None)
    """
    return next((name for magic, name in _PACKINGS if head.startswith(magic)), None)


def format_of(head: bytes, name: str) -> str:
    """The format that the first (uncompressed) bytes show; delimited text where nothing else does.

    Raises:
        DataError: It is something that holds no table.

    Example:
        >>> format_of(b"PAR1...", "x.csv"), format_of(b' {"id": 1}', "x"), format_of(b"id,date", "x.parquet")
        ('parquet', 'ndjson', 'csv')
    """
    for magic, what in _FOREIGN:
        if head.startswith(magic):
            raise DataError(f"{name} is {what}", hint="export the orders as CSV, Parquet or Excel")
    for magic, found in _MAGIC:
        if head.startswith(magic):
            return found
    if head[8:12] == b"DUCK":
        return "duckdb"
    text = head.decode(encoding_of(head), "ignore").lstrip("\ufeff \t\r\n")[:200].lower()
    if text.startswith(("<!doctype", "<html", "<?xml")):
        raise DataError(f"{name} is a web page or XML", hint="was a login page saved in place of the export?")
    if re.match(r'\{\s*["}]', text):
        return "ndjson"
    return "json" if re.match(r"\[\s*[{\[\]]", text) else "csv"


def disagreement(name: str, found: str, packing: str | None) -> str | None:
    """A sentence where the suffix of a file promises another format than its content shows.

    Example:
        >>> disagreement("orders.csv", "parquet", None)
        'it holds parquet, whatever its name says'
    """
    promised = format_promised(name)
    if promised and promised != found and {promised, found} not in ({"json", "ndjson"}, {"xlsx", "xls"}):
        return f"it holds {found}, whatever its name says"
    if packing and PurePath(name).suffix.lower() in _SUFFIXES:
        return f"it is compressed ({packing}), whatever its name says"
    return None


def format_promised(name: str) -> str | None:
    """The format that a file name promises, also below the suffix of a packing.

    Example:
        >>> format_promised("a/orders.CSV.gz"), format_promised("https://host/o.parquet?***"), format_promised("orders")
        ('csv', 'parquet', None)
    """
    suffixes = [suffix.lower() for suffix in PurePath(name.partition("?")[0]).suffixes[-2:]]
    return next((_SUFFIXES[suffix] for suffix in reversed(suffixes) if suffix in _SUFFIXES), None)


def encoding_of(head: bytes) -> str:
    r"""The encoding that a byte order mark or a pattern of NUL bytes shows; UTF-8, still to be proved, without.

    Example:
        >>> encoding_of(b"\xff\xfei\0d\0"), encoding_of("id;date".encode("utf-16-be")), encoding_of(b"id;date")
        ('utf-16', 'utf-16-be', 'utf-8')
    """
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if half and odd > 0.4 * half and even < 0.1 * half:
        return "utf-16-le"
    if half and even > 0.4 * half and odd < 0.1 * half:
        return "utf-16-be"
    return "utf-8"


def encoding_named(name: str) -> str:
    """The codec that the user named, `utf-8` under any of its names.

    Example:
        >>> encoding_named("UTF8"), encoding_named("latin1")
        ('utf-8', 'iso8859-1')
    """
    try:
        b"x".decode(name, "ignore")  # refuses codecs that are none of text; for b"" Python does not look
        return codecs.lookup(name).name
    except (LookupError, ValueError) as error:
        raise UsageError(f"unknown encoding {name!r}", hint="such as utf-8, cp1252, iso-8859-1 or utf-16") from error
