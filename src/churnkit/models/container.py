r"""The model file: plain arrays and a JSON manifest in one file that can be opened without trust.

    churnkit model\n
    sha256 <64 hexadecimal digits of everything that follows>\n
    <a zip archive, stored: manifest.json and one .npy file per array>

Nothing in it is code, nothing is compressed, nothing is unpacked to disk: reading it costs as much memory as the file
is large, whatever the file says of itself. The digest finds damage, not malice; so all that is read is checked as well.
"""

import hashlib
import io
import json
import math
import re
import struct
import zipfile
from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from churnkit.errors import InputNotFoundError, ModelFileError, ReadWriteError

FORMAT_VERSION = 1
MAGIC = b"churnkit model\n"
MOST_BYTES = 256 * 1024 * 1024

_DIGEST = re.compile(rb"sha256 ([0-9a-f]{64})\n")
_HEADER_BYTES = len(MAGIC) + len("sha256 ") + 64 + len("\n")
_MANIFEST = "manifest.json"
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*", re.ASCII)
_MOST_MEMBERS, _MOST_NAME, _MOST_MANIFEST_BYTES, _MOST_DEPTH = 2_000, 120, 8 * 1024 * 1024, 20
_KINDS = ("<f8", "<f4", "<i8", "<i4", "<i2", "|u1", "|b1")
_NPY = re.compile(
    rb"\x93NUMPY\x01\x00(?P<size>..)"
    rb"\{'descr': '(?P<kind>[<|][fiub][1248])', 'fortran_order': False, 'shape': \((?P<shape>[0-9, ]{0,40})\), \} *\n",
    re.DOTALL,
)
_EPOCH = (1980, 1, 1, 0, 0, 0)
_RETRAIN = "train a new one: churnkit train ORDERS --output FILE"

_ZLIB = (b"\x01", b"^", b"\x9c", b"\xda")
_LOOKS = (
    (b"\x80", "a Python pickle or joblib file, which could run code: churnkit never opens one"),
    (b"PK\x03\x04", "a zip archive"),
    (b"PAR1", "a Parquet file"),
    (b"\x1f\x8b", "a gzip file"),
    *((b"x" + level, "a compressed joblib file, which could run code: churnkit never opens one") for level in _ZLIB),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x89HDF", "an HDF5 file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"ARROW1", "an Arrow file"),
)


def write_container(manifest: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The bytes of a model file. The same content gives the same bytes.

    Args:
        manifest: What JSON can hold, without NaN and infinities; `format_version` is added.
        arrays: Arrays of numbers or truth values by name; a name is lower-case words joined by dots.

    Example:
        >>> manifest, arrays = read_container(write_container({"horizon_days": 90}, {"trees.value": np.array([0.5])}))
        >>> manifest, arrays
        ({'format_version': 1, 'horizon_days': 90}, {'trees.value': array([0.5])})
    """
    text = json.dumps({**manifest, "format_version": FORMAT_VERSION}, sort_keys=True, allow_nan=False, indent=1)
    members = {_MANIFEST: text.encode()}
    for name in sorted(arrays):
        array = np.asarray(arrays[name], order="C")
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        if not _NAME.fullmatch(name) or len(name) > _MOST_NAME or array.dtype.str not in _KINDS:
            raise ValueError(f"an array {name!r} of kind {array.dtype} cannot be kept in a model file")
        npy = io.BytesIO()
        np.lib.format.write_array(npy, array, version=(1, 0), allow_pickle=False)
        members[f"{name}.npy"] = npy.getvalue()
    payload = io.BytesIO()
    with zipfile.ZipFile(payload, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            member = zipfile.ZipInfo(name, date_time=_EPOCH)
            member.create_system = 3  # the same bytes on every system
            archive.writestr(member, content)
    return MAGIC + b"sha256 " + hashlib.sha256(payload.getbuffer()).hexdigest().encode() + b"\n" + payload.getvalue()


def read_container(source: bytes | str | PathLike[str]) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The manifest and the arrays of a model file.

    Args:
        source: The file, or its bytes.

    Raises:
        InputNotFoundError: There is no such file.
        ReadWriteError: The file cannot be read.
        ModelFileError: It is not a model file, is damaged, is made by a newer churnkit, or holds what it should not.
    """
    data, name = (source, "the model") if isinstance(source, bytes) else (_read(Path(source)), fspath(source))
    if len(data) > MOST_BYTES:
        raise ModelFileError(f"{name} is larger than any model file ({MOST_BYTES >> 20} MB)", hint=_RETRAIN)
    if not data.startswith(MAGIC):
        raise ModelFileError(f"{name} is not a churnkit model: {_looks_like(data)}", hint=_RETRAIN)
    digest = _DIGEST.fullmatch(data[len(MAGIC) : _HEADER_BYTES])
    payload = memoryview(data)[_HEADER_BYTES:]
    if digest is None or hashlib.sha256(payload).hexdigest().encode() != digest[1]:
        raise ModelFileError(
            f"{name} is damaged: its content does not match its checksum", hint=f"copy it again, or {_RETRAIN}"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(payload)) as archive:
            members = _members(archive, len(payload))
        manifest = _manifest(members.pop(_MANIFEST))
        version = manifest["format_version"]
        arrays = {member.removesuffix(".npy"): _array(member, content) for member, content in members.items()}
    except (zipfile.BadZipFile, struct.error, EOFError, RuntimeError, KeyError, ValueError, OSError) as error:
        raise ModelFileError(f"{name} is not a sound model file: {error}", hint=_RETRAIN) from error
    if version > FORMAT_VERSION:
        raise ModelFileError(
            f"{name} is of format {version}; this churnkit reads up to format {FORMAT_VERSION}", hint="upgrade churnkit"
        )
    return manifest, arrays


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise InputNotFoundError(f"there is no model file {path}", hint=_RETRAIN) from error
    except IsADirectoryError as error:
        raise ModelFileError(f"{path} is a folder, not a model file", hint=_RETRAIN) from error
    except OSError as error:
        raise ReadWriteError(f"{path} cannot be read: {error.strerror}") from error


def _looks_like(data: bytes) -> str:
    """What a foreign file is, by its first bytes."""
    if MAGIC.startswith(data):
        return "it is empty" if not data else "it is cut short"
    for magic, what in _LOOKS:
        if data.startswith(magic):
            return f"it looks like {what}"
    head = data[:4096]
    if head.lstrip()[:1] in (b"{", b"["):
        return "it looks like JSON"
    return "it looks like a text file" if b"\0" not in head else "its first bytes are of no kind that is known"


def _members(archive: zipfile.ZipFile, n_bytes: int) -> dict[str, bytes]:
    """The content of each member; a ValueError where the archive is not as `write_container` writes it."""
    infos = archive.infolist()
    names = [info.filename for info in infos]
    if len(infos) > _MOST_MEMBERS or len(set(names)) < len(names) or _MANIFEST not in names:
        raise ValueError("its table of contents is not that of a model")
    for info in infos:
        known = info.filename == _MANIFEST or (info.filename.endswith(".npy") and _NAME.fullmatch(info.filename[:-4]))
        if not known or len(info.filename) > _MOST_NAME + len(".npy"):
            raise ValueError(f"it holds a member that no model has: {info.filename[:_MOST_NAME]!r}")
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 or info.file_size != info.compress_size:
            raise ValueError(f"{info.filename} is compressed or encrypted")
    if sum(info.file_size for info in infos) > n_bytes:
        raise ValueError("its members say to be larger than the file")
    return {info.filename: archive.read(info) for info in infos}


def _manifest(content: bytes) -> dict[str, Any]:
    if len(content) > _MOST_MANIFEST_BYTES:
        raise ValueError(f"its manifest is larger than {_MOST_MANIFEST_BYTES >> 20} MB")
    manifest = json.loads(content, parse_constant=_no_constant)  # a RecursionError is a RuntimeError
    if not isinstance(manifest, dict) or _depth(manifest) > _MOST_DEPTH:
        raise ValueError("its manifest is not a JSON object, or is nested too deep")
    if type(manifest.get("format_version")) is not int or manifest["format_version"] < 1:
        raise ValueError("its manifest names no format version")
    return manifest


def _no_constant(name: str) -> float:
    raise ValueError(f"its manifest holds {name}")


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max((_depth(item) for item in inner), default=0)


def _array(name: str, content: bytes) -> NDArray[Any]:
    """One array, by a header of exactly the form that `write_container` writes: nothing in it is evaluated."""
    header = _NPY.match(content)
    if (
        header is None
        or header["kind"].decode() not in _KINDS
        or 10 + int.from_bytes(header["size"], "little") != header.end()
    ):
        raise ValueError(f"{name} is not an array of plain numbers")
    kind = np.dtype(header["kind"].decode())
    shape = tuple(int(length) for length in header["shape"].decode().replace(" ", "").split(",") if length)
    if math.prod(shape) * kind.itemsize != len(content) - header.end():
        raise ValueError(f"{name} is not as large as its header says")
    array = np.frombuffer(content, dtype=kind, offset=header.end()).reshape(shape)
    return array.view(np.uint8) != 0 if kind == np.bool_ else array.copy()  # a truth value is 0 or 1, whatever is there
