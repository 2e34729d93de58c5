"""The model file: the same bytes, the same content back, and nothing foreign, damaged or crafted gets in."""

import hashlib
import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnkit.errors import InputNotFoundError, ModelFileError, ReadWriteError
from churnkit.models.container import MAGIC, MOST_BYTES, read_container, write_container

MANIFEST: dict[str, Any] = {"horizon_days": 90, "features": ["recency_days", "fréquence"], "figures": {"auc": 0.81}}
ARRAYS: dict[str, np.ndarray[Any, Any]] = {
    "trees.value": np.array([0.5, -0.25, 1e-300]),
    "trees.left": np.array([1, 0, 0], dtype=np.int32),
    "trees.is_leaf": np.array([False, True, True]),
    "table": np.arange(6, dtype=np.float32).reshape(2, 3),
    "nothing": np.empty(0),
    "one": np.array(7, dtype=np.int64),
}
HEADER = len(MAGIC) + len("sha256 \n") + 64


def sealed(payload: bytes) -> bytes:
    """A payload with the right magic and the right digest: what somebody would craft."""
    return MAGIC + b"sha256 " + hashlib.sha256(payload).hexdigest().encode() + b"\n" + payload


def crafted(change: Callable[[dict[str, bytes]], None], compression: int = zipfile.ZIP_STORED) -> bytes:
    with zipfile.ZipFile(io.BytesIO(write_container(MANIFEST, ARRAYS)[HEADER:])) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    payload = io.BytesIO()
    with zipfile.ZipFile(payload, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return sealed(payload.getvalue())


def npy(array: np.ndarray[Any, Any], *, allow_pickle: bool = False, version: tuple[int, int] = (1, 0)) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version=version, allow_pickle=allow_pickle)
    return file.getvalue()


def test_what_was_written_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "m.model"
    path.write_bytes(write_container(MANIFEST, ARRAYS))
    for source in (path, str(path), path.read_bytes()):
        manifest, arrays = read_container(source)
        assert manifest == {**MANIFEST, "format_version": 1}
        assert arrays.keys() == ARRAYS.keys()
        for name, array in ARRAYS.items():
            assert arrays[name].dtype == array.dtype
            assert np.array_equal(arrays[name], array)
            assert arrays[name].flags.writeable


def test_the_same_content_gives_the_same_bytes() -> None:
    other_way_round = {name: ARRAYS[name] for name in reversed(ARRAYS)}
    other_way_round["table"] = np.asfortranarray(ARRAYS["table"])
    other_way_round["trees.value"] = ARRAYS["trees.value"].astype(">f8")
    manifest = dict(reversed(MANIFEST.items()))
    assert write_container(manifest, other_way_round) == write_container(MANIFEST, ARRAYS)


def test_an_ordinary_unzip_opens_the_rest_of_the_file() -> None:
    with zipfile.ZipFile(io.BytesIO(write_container(MANIFEST, ARRAYS))) as archive:
        assert archive.testzip() is None
        assert json.loads(archive.read("manifest.json"))["horizon_days"] == 90
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize(("name", "array"), [
    ("../x", np.zeros(1)), ("A", np.zeros(1)), ("a/b", np.zeros(1)), ("", np.zeros(1)), ("a" * 200, np.zeros(1)),
    ("a", np.array([object()])), ("a", np.array(["text"])), ("a", np.zeros(1, dtype=complex)),
])  # fmt: skip
def test_an_array_that_could_not_be_read_is_not_written(name: str, array: np.ndarray[Any, Any]) -> None:
    with pytest.raises(ValueError, match="cannot be kept"):
        write_container({}, {name: array})


def test_not_a_number_is_not_written() -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        write_container({"auc": float("nan")}, {})


def _zip() -> bytes:
    file = io.BytesIO()
    np.savez(file, a=np.zeros(3))
    return file.getvalue()


def _joblib() -> bytes:
    file = io.BytesIO()
    joblib.dump({"a": np.zeros(3)}, file, compress=True)
    return file.getvalue()


@pytest.mark.parametrize(("content", "says"), [
    (pickle.dumps({"a": 1}), "pickle"), (_joblib(), "compressed joblib"), (_zip(), "zip archive"),
    (b"PAR1....", "Parquet"), (b"\x1f\x8b\x08", "gzip"), (npy(np.zeros(2)), "NumPy array"),
    (b"customer,date\n1,2024-01-01\n", "text file"), (b'{"a": 1}', "JSON"), (b"", "empty"), (b"churnk", "cut short"),
    (b"\x00\x01\x02", "of no kind that is known"),
])  # fmt: skip
def test_a_foreign_file_is_refused_by_what_is_in_it(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "m.model"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=f"m.model is not a churnkit model: .*{says}") as caught:
        read_container(path)
    assert caught.value.exit_code == 65
    assert "churnkit train" in caught.value.hint


def test_a_pickle_is_not_run(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "pwned",)

    evil = pickle.dumps(Evil())
    with pytest.raises(ModelFileError):
        read_container(evil)
    for member in (evil, npy(np.array([Evil()], dtype=object), allow_pickle=True)):
        with pytest.raises(ModelFileError, match="not an array of plain numbers"):
            read_container(crafted(lambda members, m=member: members.update({"trees.value.npy": m})))  # type: ignore[misc]
    assert not (tmp_path / "pwned").exists()


def test_no_file_a_folder_and_an_unreadable_file_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InputNotFoundError, match="no model file"):
        read_container(tmp_path / "none.model")
    with pytest.raises(ModelFileError, match="is a folder"):
        read_container(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(ReadWriteError, match="cannot be read"):
        read_container(tmp_path / "file" / "below")


def test_every_cut_and_every_flipped_byte_is_found() -> None:
    data = write_container(MANIFEST, ARRAYS)
    for cut in (*range(0, HEADER + 5), len(data) // 2, len(data) - 1):
        with pytest.raises(ModelFileError):
            read_container(data[:cut])
    for place in range(0, len(data), 7):
        flipped = bytearray(data)
        flipped[place] ^= 0xFF
        with pytest.raises(ModelFileError):
            read_container(bytes(flipped))
    with pytest.raises(ModelFileError, match="damaged"):
        read_container(data + b"x")


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_crafted_payload_is_refused_or_read_and_never_crashes(data: st.DataObject) -> None:
    payload = bytearray(write_container(MANIFEST, ARRAYS)[HEADER:])
    for _ in range(data.draw(st.integers(1, 4))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    try:
        _, arrays = read_container(sealed(bytes(payload)))
    except ModelFileError:
        return
    assert sum(array.nbytes for array in arrays.values()) <= len(payload)


def test_a_newer_format_asks_for_an_upgrade() -> None:
    def newer(members: dict[str, bytes]) -> None:
        members["manifest.json"] = json.dumps({"format_version": 99}).encode()

    with pytest.raises(ModelFileError, match="format 99") as caught:
        read_container(crafted(newer))
    assert caught.value.hint == "upgrade churnkit"


@pytest.mark.parametrize("manifest", [
    b"", b"[]", b"{}", b"not json", b'{"format_version": "1"}', b'{"format_version": true}', b'{"format_version": 0}',
    b'{"format_version": 1, "auc": NaN}', b'{"format_version": 1, "x": ' + b"[" * 50 + b"]" * 50 + b"}",
    b"[" * 100_000, b'{"format_version": 1, "x": "\xff"}', b" " * (8 << 20) + b'{"format_version": 1}',
    b'{"format_version": ' + b"9" * 5000 + b"}",
])  # fmt: skip
def test_a_crafted_manifest_is_refused(manifest: bytes) -> None:
    with pytest.raises(ModelFileError, match="not a sound model file"):
        read_container(crafted(lambda members: members.update({"manifest.json": manifest})))


@pytest.mark.parametrize(
    "name", ["../x.npy", "/etc/x.npy", "a/b.npy", "x.py", "X.npy", ".npy", "C:\\x.npy", "a" * 200 + ".npy"]
)
def test_a_member_by_any_other_name_is_refused(name: str) -> None:
    with pytest.raises(ModelFileError, match="a member that no model has"):
        read_container(crafted(lambda members: members.update({name: npy(np.zeros(1))})))


def _header(text: str, body: bytes = b"") -> bytes:
    line = text.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(line).to_bytes(2, "little") + line + body


@pytest.mark.parametrize("member", [
    npy(np.array(["text"])), npy(np.zeros(2, dtype=complex)), npy(np.zeros(2, dtype=">f8")),
    npy(np.zeros(2, dtype="u8")),
    npy(np.asfortranarray(np.zeros((2, 2)))), npy(np.zeros(2), version=(2, 0)),
    npy(np.zeros(2))[:-1], npy(np.zeros(2)) + b"x", b"", b"\x93NUMPY",
    _header("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999,), }"),
    _header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }", bytes(8)),
    _header("{'descr': '<f8', 'fortran_order': False, 'shape': (__import__('os').getpid(),), }", bytes(8)),
    _header("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }", bytes(8)),
])  # fmt: skip
def test_a_crafted_array_is_refused(member: bytes) -> None:
    with pytest.raises(ModelFileError, match=r"not an array of plain numbers|not as large as its header"):
        read_container(crafted(lambda members: members.update({"trees.value.npy": member})))


def test_truth_values_are_0_or_1_whatever_bytes_are_there() -> None:
    header = npy(np.array([True, False]))[:-2]
    _, arrays = read_container(crafted(lambda members: members.update({"flags.npy": header + b"\x02\x00"})))
    assert arrays["flags"].view(np.uint8).tolist() == [1, 0]


def test_bombs_are_refused_unopened() -> None:
    zeros = npy(np.zeros(1_000_000))
    with pytest.raises(ModelFileError, match="compressed or encrypted"):
        read_container(crafted(lambda members: members.update({"trees.value.npy": zeros}), zipfile.ZIP_DEFLATED))
    many = crafted(lambda members: members.update({f"a{k}.npy": b"" for k in range(3000)}))
    with pytest.raises(ModelFileError, match="table of contents"):
        read_container(many)
    with pytest.raises(ModelFileError, match="larger than any model"):
        read_container(bytes(MOST_BYTES + 1))


def test_members_that_share_their_bytes_are_refused() -> None:
    """Many entries of one place would unfold a small file into a large one."""
    payload = io.BytesIO()
    with zipfile.ZipFile(payload, "w") as archive:
        archive.writestr("manifest.json", b'{"format_version": 1}')
        archive.writestr("a.npy", npy(np.zeros(10_000)))
        first = archive.getinfo("a.npy")
        for k in range(20):
            info = zipfile.ZipInfo(f"a{k}.npy")
            info.header_offset, info.CRC = first.header_offset, first.CRC
            info.file_size = info.compress_size = first.file_size
            archive.filelist.append(info)
            archive.NameToInfo[info.filename] = info
    with pytest.raises(ModelFileError, match="larger than the file"):
        read_container(sealed(payload.getvalue()))


def test_a_file_without_a_manifest_or_with_two_of_a_name_is_refused() -> None:
    with pytest.raises(ModelFileError, match="table of contents"):
        read_container(crafted(lambda members: members.__delitem__("manifest.json")))
    payload = io.BytesIO()
    with zipfile.ZipFile(payload, "w") as archive:
        archive.writestr("manifest.json", b'{"format_version": 1}')
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("manifest.json", b'{"format_version": 1}')
    with pytest.raises(ModelFileError, match="table of contents"):
        read_container(sealed(payload.getvalue()))
