"""From what the user typed to the inputs behind it: files, globs, folders, standard input, databases, remote files."""

import glob
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

from churnkit.errors import ExtraMissingError, InputNotFoundError, ReadWriteError, UsageError
from churnkit.orders.lines import scrub

REMOTE = ("s3", "s3a", "gs", "gcs", "az", "azure", "abfs", "abfss", "adl", "http", "https")
DATABASES = ("sqlite", "duckdb")

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_PARTITION = re.compile(r"([^=]+)=(.*)")


@dataclass(frozen=True, slots=True)
class Source:
    """One input.

    Args:
        name: What to call it in messages; holds no secrets.
        content: A regular file, or the bytes that a stream held.
        partitions: Column names and values that its folders state (`year=2024/`).
    """

    name: str
    content: Path | bytes
    partitions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Database:
    """A database file that was named by a URI, `sqlite:///shop.db` or `duckdb:///shop.duckdb`."""

    name: str
    kind: str
    path: Path


@dataclass(frozen=True, slots=True)
class Remote:
    """A file in an object store or behind HTTP; `name` is the URI without its secrets."""

    name: str
    uri: str


def find_sources(
    sources: Sequence[str | os.PathLike[str]], stdin: BinaryIO | None = None
) -> list[Source | Database | Remote]:
    """The inputs that the user named, in the order given, what lies in folders and globs sorted by path.

    Args:
        sources: Files, globs, folders, URIs, or `-` for `stdin`.
        stdin: The stream behind `-`; read to its end.

    Returns:
        Every input once, also where it was named twice.

    Raises:
        InputNotFoundError: Nothing is there, or it cannot be opened.
        ReadWriteError: The stream broke.
        UsageError: Nothing was named, or `-` without a stream.
    """
    if not sources:
        raise UsageError("no orders were named", hint="name at least one file")
    found: dict[Path | str, Source | Database | Remote] = {}
    for typed in (str(os.fspath(source)) for source in sources):
        try:
            for source in _behind(typed, stdin):
                content = source.content if isinstance(source, Source) else None
                found.setdefault(content.resolve() if isinstance(content, Path) else typed, source)
        except OSError as error:
            raise InputNotFoundError(f"{typed} cannot be opened: {error.strerror or error}") from error
    return list(found.values())


def _behind(typed: str, stdin: BinaryIO | None) -> Iterator[Source | Database | Remote]:
    path = Path(typed)
    scheme = _SCHEME.match(typed)
    if typed == "-":
        yield _from_stream(stdin)
    elif scheme and not path.exists():
        yield _from_uri(typed, scheme[1].lower())
    elif path.is_dir():
        yield from _from_folder(path, typed)
    elif path.exists():
        yield _from_path(path)
    elif glob.has_magic(typed):
        yield from _from_glob(typed)
    else:
        raise InputNotFoundError(f"no such file: {typed}", hint=_nearest(path))


def _from_stream(stdin: BinaryIO | None) -> Source:
    if stdin is None:
        raise UsageError("'-' stands for standard input, and there is none", hint="pass stdin=sys.stdin.buffer")
    try:
        return Source("stdin", stdin.read())
    except OSError as error:
        raise ReadWriteError(f"stdin: {error.strerror or error}") from error


def _from_uri(uri: str, scheme: str) -> Database | Remote:
    name = scrub(uri)
    if scheme in DATABASES:
        path = Path(unquote(uri.split("://", 1)[1].removeprefix("/").split("?")[0]))
        if not path.is_file():
            raise InputNotFoundError(f"no such database file: {path}", hint=_nearest(path))
        return Database(str(path), scheme, path)
    if scheme in REMOTE:
        return Remote(name, uri)
    if scheme.startswith(("postgres", "mysql", "mariadb", "mssql", "oracle")):
        raise ExtraMissingError(
            f"{name}: reading from a {scheme.partition('+')[0]} server is not part of this version",
            hint="export the orders to CSV or Parquet and pipe or name that file",
        )
    raise InputNotFoundError(
        f"{name}: the scheme {scheme}:// is not known",
        hint=f"known are {', '.join(f'{known}://' for known in (*DATABASES, *REMOTE))}",
    )


def _from_path(path: Path, partitions: tuple[tuple[str, str], ...] = ()) -> Source:
    """A file; what is none (a pipe such as /dev/fd/63) can be read only once and is taken as bytes."""
    with path.open("rb") as file:
        return Source(str(path), path if path.is_file() else file.read(), partitions)


def _from_folder(folder: Path, typed: str) -> Iterator[Source]:
    files = sorted(_files_in(folder))
    if not files:
        raise InputNotFoundError(
            f"the folder {typed} holds no files", hint="hidden files, *.part and names with a leading _ are not read"
        )
    for file in files:
        yield _from_path(file, _partitions(file.relative_to(folder).parts[:-1]))


def _files_in(folder: Path) -> Iterator[Path]:
    """Files at any depth; not hidden, half-written (`.part`), or the marks that writers of partitions leave (`_`)."""
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if _visible(name)]
        yield from (Path(parent, name) for name in names if _visible(name))


def _visible(name: str) -> bool:
    return not name.startswith((".", "_")) and not name.endswith(".part")


def _from_glob(pattern: str) -> Iterator[Source]:
    names = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
    matches = [Path(name) for name in names if _visible(Path(name).name)]
    if not matches:
        raise InputNotFoundError(f"no file matches {pattern}", hint=_nearest(Path(pattern)))
    fixed = next(i for i, part in enumerate(Path(pattern).parts) if glob.has_magic(part))
    files = [file for match in matches for file in ([match] if not match.is_dir() else sorted(_files_in(match)))]
    for file in files:
        yield _from_path(file, _partitions(file.parts[fixed:-1]))


def _partitions(folders: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Columns stated by folder names, as Hive writes them.

    Example:
        >>> _partitions(["year=2024", "raw", "country=C%C3%B4te"])
        (('year', '2024'), ('country', 'Côte'))
    """
    return tuple((match[1], unquote(match[2])) for folder in folders if (match := _PARTITION.fullmatch(folder)))


def _nearest(path: Path) -> str:
    """A hint at the file that may have been meant."""
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    names = sorted(entry.name for entry in path.parent.iterdir() if _visible(entry.name))
    return "".join(f"did you mean {path.with_name(near)}?" for near in get_close_matches(path.name, names, 1))
