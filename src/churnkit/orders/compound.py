"""The container of .xls files (OLE2), checked before it reaches a parser that trusts it.

A few damaged bytes make calamine follow a chain of sectors in circles, or lay out a sheet of 65,536 x 65,536 cells,
until the memory is full; an abort for want of memory cannot be caught. Layout: Microsoft, MS-CFB and MS-XLS.
"""

import struct

import numpy as np
import numpy.typing as npt

_HEADER_BYTES = 512
_ENTRY_BYTES = 128
_MINI_SECTOR_BYTES = 64
_MINI_STREAM_BELOW = 4096
_COLUMNS = 256
_CELLS = {0x0006, 0x00BD, 0x00BE, 0x00FD, 0x0201, 0x0203, 0x0204, 0x0205, 0x027E}
"""Records of one cell or a run of cells, which begin with row and column."""

Chains = npt.NDArray[np.uint32]


def is_sound(content: bytes) -> bool:
    """Whether all chains of sectors end and all cells lie within the 256 columns of the format."""
    try:
        shift = struct.unpack_from("<H", content, 30)[0]
        directory, mini_start = struct.unpack_from("<I", content, 48)[0], struct.unpack_from("<I", content, 60)[0]
        if shift not in (9, 12):
            return False
        table = _table(content, 1 << shift)
        if _runs_in_circles(table):
            return False
        mini = np.frombuffer(_stream(content, 1 << shift, table, mini_start), "<u4")
        if _runs_in_circles(mini):
            return False
        entries = _stream(content, 1 << shift, table, directory)
        return _cells_fit(_workbook(content, 1 << shift, table, mini, entries))
    except (struct.error, IndexError, ValueError):
        return False


def _table(content: bytes, sector_bytes: int) -> Chains:
    """The successor of every sector, put together from the sectors that the header and its extension list."""
    listed = list(struct.unpack_from("<109I", content, 76))
    more, sectors = struct.unpack_from("<I", content, 68)[0], len(content) // sector_bytes
    while more < sectors and len(listed) <= 109 + sectors:
        *further, more = struct.unpack(f"<{sector_bytes // 4}I", _sector(content, sector_bytes, more))
        listed += further
    pieces = [_sector(content, sector_bytes, sector) for sector in listed if sector < sectors]
    return np.frombuffer(b"".join(pieces), "<u4")


def _sector(content: bytes, sector_bytes: int, sector: int) -> bytes:
    """A sector, filled up where the file ends within it; the header takes the place of one."""
    start = max(_HEADER_BYTES, sector_bytes) + sector * sector_bytes
    return content[start : start + sector_bytes].ljust(sector_bytes, b"\0")


def _runs_in_circles(table: Chains) -> bool:
    """Whether any chain never ends: after as many doublings of the step as the length has bits, all have to be out."""
    out = len(table)
    after = np.append(np.where(table < out, table, out), out).astype(np.int64)
    for _ in range(out.bit_length()):
        after = after[after]
    return bool((after != out).any())


def _stream(content: bytes, sector_bytes: int, table: Chains, sector: int) -> bytes:
    pieces = []
    while sector < len(table):
        pieces.append(_sector(content, sector_bytes, sector))
        sector = int(table[sector])
    return b"".join(pieces)


def _workbook(content: bytes, sector_bytes: int, table: Chains, mini: Chains, entries: bytes) -> bytes:
    """The stream that holds the sheets; small ones lie in 64 byte pieces of the stream of the root entry."""
    root_start = struct.unpack_from("<I", entries, 116)[0]
    for place in range(0, len(entries), _ENTRY_BYTES):
        name = entries[place : place + 64].decode("utf-16-le", "replace").partition("\0")[0]
        start, size = struct.unpack_from("<II", entries, place + 116)
        if name.lower() not in ("workbook", "book"):
            continue
        if size >= _MINI_STREAM_BELOW:
            return _stream(content, sector_bytes, table, start)[:size]
        root, pieces = _stream(content, sector_bytes, table, root_start), []
        while start < len(mini):
            pieces.append(root[start * _MINI_SECTOR_BYTES : (start + 1) * _MINI_SECTOR_BYTES])
            start = int(mini[start])
        return b"".join(pieces)[:size]
    return b""


def _cells_fit(workbook: bytes) -> bool:
    place = 0
    while place + 4 <= len(workbook):
        kind, size = struct.unpack_from("<HH", workbook, place)
        if kind in _CELLS and size >= 4 and struct.unpack_from("<H", workbook, place + 6)[0] >= _COLUMNS:
            return False
        place += 4 + size
    return True
