from __future__ import annotations

import gzip
import io
import os
import random
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fhir_keta.errors import InputError, UsageError
from fhir_keta.records import blocks, source
from fhir_keta.records.files import size
from fhir_keta.records.source import Fault, Lines, Place, Portion, Record, read, read_together
from tests.conftest import require

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc has it from Python 3.12

ONE = b'{"resourceType":"Patient","id":"one"}'
TWO = b'{"resourceType":"Patient","id":"two"}'
PRETTY = b'{\n  "resourceType": "Patient",\n  "id": "pretty"\n}\n'


def largest_record(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (source, blocks):
        monkeypatch.setattr(module, "LARGEST_RECORD", size)


def of_bytes(data: bytes) -> list[Record | Fault]:
    return list(read(["-"], io.BytesIO(data)))


def of_file(path: Path, data: bytes) -> list[Record | Fault]:
    path.write_bytes(data)
    return list(read([str(path)]))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (ONE, [(1, ONE)]),
        (ONE + b"\n", [(1, ONE)]),
        (ONE + b"\n" + TWO, [(1, ONE), (2, TWO)]),
        (b"\n\n" + ONE + b"\r\n \r\n" + TWO + b"\r\n", [(3, ONE), (5, TWO)]),
        (b"\xef\xbb\xbf" + ONE + b"\n" + TWO, [(1, ONE), (2, TWO)]),
        (b'{"broken":\n' + TWO, [(1, b'{"broken":\n' + TWO)]),  # could be a pretty-printed object
        (b'{"broken":1,}\n' + TWO, [(1, b'{"broken":1,}'), (2, TWO)]),
        (b'{"resourceType":"Pat\n' + TWO, [(1, b'{"resourceType":"Pat'), (2, TWO)]),
        (ONE + b"\n}{\n" + TWO, [(1, ONE), (2, b"}{"), (3, TWO)]),
        (PRETTY, [(1, PRETTY)]),
        (b"\xef\xbb\xbf" + PRETTY, [(1, PRETTY)]),
        (b'{"entry":[\n' + ONE + b"\n]}", [(1, b'{"entry":[\n' + ONE + b"\n]}")]),
        (b'{"meta":{}\n,"id":"leading-commas"}', [(1, b'{"meta":{}\n,"id":"leading-commas"}')]),
        (b"[\n" + ONE + b"\n]", [(1, b"[\n" + ONE + b"\n]")]),
        (b"<Patient>\n</Patient>\n", [(1, b"<Patient>\n</Patient>\n")]),
        ('{"a":1}\n{"a":2}\n'.encode("utf-16-le"), [(1, '{"a":1}\n{"a":2}\n'.encode("utf-16-le"))]),
        (b"", [(1, b"")]),
        (b" \n \n", [(1, b"\n\n")]),  # blank lines are counted, not kept
    ],
)
def test_what_content_says_where_no_name_does(data: bytes, expected: list[tuple[int, bytes]]) -> None:
    wanted = [Record(record, Place("<stdin>", line)) for line, record in expected]
    assert of_bytes(data) == wanted
    assert of_bytes(gzip.compress(data)) == wanted


def test_ndjson_by_name_believes_in_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    lines = [b'{"broken":', ONE, TWO]
    assert of_file(path, b"\n".join(lines)) == [Record(line, Place(str(path), n)) for n, line in enumerate(lines, 1)]
    assert of_file(path, PRETTY) == [Record(PRETTY, Place(str(path), 1))]  # one finding or none, not one a line


def test_json_by_name_is_one_record(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    assert of_file(path, ONE + b"\n" + TWO) == [Record(ONE + b"\n" + TWO, Place(str(path), 1))]
    assert of_file(path, b"\xef\xbb\xbf" + ONE) == [Record(ONE, Place(str(path), 1))]


def test_folder(tmp_path: Path) -> None:
    for name in ("b.json", "a/z.ndjson", "a/c.jsonl", "a.b/d.json", "a/e.JSON", ".git/hidden.json", "a/.hidden.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(ONE)
    for name in ("f.json.gz", "g.ndjson.gz"):
        (tmp_path / name).write_bytes(gzip.compress(ONE))
    for name in ("README.md", "data.xml", "archive.tar.gz"):
        (tmp_path / name).write_bytes(b"no record")
    (tmp_path / "folder.json").mkdir()
    found = [Path(item.place.path).relative_to(tmp_path).as_posix() for item in read([str(tmp_path)])]
    assert found == ["a/c.jsonl", "a/e.JSON", "a/z.ndjson", "a.b/d.json", "b.json", "f.json.gz", "g.ndjson.gz"]


def test_a_named_file_is_read_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "patient.txt"
    assert of_file(path, PRETTY) == [Record(PRETTY, Place(str(path), 1))]


def test_order_is_that_of_the_call(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_bytes(ONE)
    paths = [str(tmp_path / "b.json"), "-", str(tmp_path / "a.json")]
    assert [item.place.path for item in read(paths, io.BytesIO(TWO))] == [paths[0], "<stdin>", paths[2]]


def test_missing_and_empty_places_are_named_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("no record")
    with pytest.raises(InputError, match="nowhere: no such file or folder"):
        read(["-", str(tmp_path / "nowhere")])
    with pytest.raises(InputError, match=f"{tmp_path}: no .json"):
        read([str(tmp_path)])
    with pytest.raises(UsageError, match="only once"):
        read(["-", "-"])


def test_gzip_cut_off_keeps_the_records_before(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson.gz"
    lines = [b'{"resourceType":"Patient","id":"%s"}' % os.urandom(16).hex().encode() for _ in range(50_000)]
    whole = gzip.compress(b"\n".join(lines))
    items = of_file(path, whole[: len(whole) // 2])
    records, fault = items[:-1], items[-1]
    assert len(records) > 10_000
    assert [item.data for item in records if isinstance(item, Record)] == lines[: len(records)]
    assert fault == Fault("input-gzip", records[-1].place)


@pytest.mark.parametrize("damage", ["not gzip", "empty", "flipped", "trailing"])
def test_broken_gzip_is_one_fault(tmp_path: Path, damage: str) -> None:
    whole = gzip.compress(PRETTY)
    data = {
        "not gzip": PRETTY,
        "empty": b"",
        "flipped": whole[:15] + bytes([whole[15] ^ 0xFF]) + whole[16:],
        "trailing": whole + b"more",
    }[damage]
    path = tmp_path / "a.json.gz"
    assert of_file(path, data) == [Fault("input-gzip", Place(str(path)))]


def test_gzip_is_known_by_content_too(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    assert of_file(path, gzip.compress(PRETTY)) == [Record(PRETTY, Place(str(path), 1))]


def test_unreadable_files_are_faults_among_the_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.json", "b.json", "c.json"):
        (tmp_path / name).write_bytes(ONE)
    items = read([str(tmp_path)])
    (tmp_path / "b.json").unlink()  # gone after it was listed
    place = Place(str(tmp_path / "b.json"))
    assert list(items)[1] == Fault("input-unreadable", place, {"problem": "No such file or directory"})


def test_a_record_larger_than_the_limit_is_skipped_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    largest_record(2**20, monkeypatch)
    large = b'{"a":"' + b"x" * 3 * 2**20 + b'"}'
    limit = {"limit": 1}
    path = tmp_path / "a.ndjson"
    of_lines = [Record(ONE, Place(str(path), 1)), Fault("input-size", Place(str(path), 2), limit)]
    assert of_file(path, b"\n".join([ONE, large, TWO])) == [*of_lines, Record(TWO, Place(str(path), 3))]
    path = tmp_path / "a.json.gz"
    assert of_file(path, gzip.compress(large)) == [Fault("input-size", Place(str(path), 1), limit)]
    assert of_bytes(large) == [Fault("input-size", Place("<stdin>", 1), limit)]
    assert of_bytes(large + b"\n" + TWO) == [
        Fault("input-size", Place("<stdin>", 1), limit),
        Record(TWO, Place("<stdin>", 2)),
    ]


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/urandom", "/dev/full", "/dev/null"])
def test_a_device_is_no_file(device: str) -> None:
    require(None if Path(device).is_char_device() else f"there is no {device} here")
    assert list(read([device])) == [Fault("input-unreadable", Place(device), {"problem": "it is a device, not a file"})]


def test_a_terminal_is_read(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    os.write(ours, ONE + b"\n" + TWO + b"\n\x04")  # what somebody types, and the end
    name = os.ttyname(theirs)
    try:
        assert list(read([name])) == [Record(ONE, Place(name, 1)), Record(TWO, Place(name, 2))]
    finally:
        os.close(theirs)
        os.close(ours)


def test_a_pipe_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(ONE + b"\n" + TWO,), daemon=True)
    writer.start()
    assert list(read([str(pipe)])) == [Record(ONE, Place(str(pipe), 1)), Record(TWO, Place(str(pipe), 2))]
    writer.join()


def test_a_socket_is_one_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket is short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("records.json")
        (fault,) = read(["records.json"])
    assert isinstance(fault, Fault)
    assert (fault.rule, fault.place) == ("input-unreadable", Place("records.json"))


def test_links_in_a_circle_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(ONE)
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "b.json").symlink_to(tmp_path / "c.json")
    (tmp_path / "c.json").symlink_to(tmp_path / "b.json")
    found = list(read([str(tmp_path)]))
    assert found[0] == Record(ONE, Place(str(tmp_path / "a.json"), 1))
    assert [item.rule for item in found[1:] if isinstance(item, Fault)] == ["input-unreadable"] * 2
    with pytest.raises(InputError, match="no such file"):
        read([str(tmp_path / "b.json")])


class _InPieces(io.RawIOBase):
    """Not more at once than a slow writer sends."""

    def __init__(self, data: bytes, size: int) -> None:
        self._data = io.BytesIO(data)
        self._size = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer).cast("B")
        piece = self._data.read(min(self._size, len(view)))
        view[: len(piece)] = piece
        return len(piece)


class _Endless(io.RawIOBase):
    """As many bytes as are asked for, over and over."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer).cast("B")
        view[:] = (self._text * (len(view) // len(self._text) + 1))[: len(view)]
        self.count += len(view)
        return len(view)


@pytest.mark.parametrize("text", [b"\0", b"{", b" ", b"\n", b'{"a": '], ids=repr)
def test_what_never_ends_is_given_up(text: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    largest_record(2**20, monkeypatch)
    monkeypatch.setattr(source, "_MOST_PASSED_OVER", 2**22)
    stream = _Endless(text)
    items = list(read(["-"], io.BufferedReader(stream)))
    assert [item.rule for item in items if isinstance(item, Fault)] in (["input-size"], ["input-unreadable"])
    assert len(items) == 1
    assert stream.count < 2**24


def test_the_place_of_a_line_without_end_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    largest_record(2**20, monkeypatch)
    monkeypatch.setattr(source, "_MOST_PASSED_OVER", 2**20)
    problem = "no line end within 2 MB; the rest was not looked at"
    assert of_bytes(ONE + b"\n" + TWO + b"\n" + b"{" * 5 * 2**20 + b"\n" + ONE) == [
        Record(ONE, Place("<stdin>", 1)),
        Record(TWO, Place("<stdin>", 2)),
        Fault("input-unreadable", Place("<stdin>", 3), {"problem": problem}),
    ]


def test_a_file_name_that_is_no_text_can_be_shown(tmp_path: Path) -> None:
    path = os.path.join(os.fsencode(tmp_path), b"\xff.json")  # noqa: PTH118
    try:
        Path(os.fsdecode(path)).write_bytes(ONE)
    except OSError:
        pytest.skip("this file system takes no such name")
    (item,) = read([str(tmp_path)])
    assert item == Record(ONE, Place(f"{tmp_path}/\N{REPLACEMENT CHARACTER}.json", 1))


def test_reading_holds_few_blocks_at_a_time(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "large.ndjson.gz"
    line = b'{"resourceType":"Patient","id":"%s"}\n' % (b"a" * 1000)
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(80):
            file.write(line * 1000)  # 80 MB in all
    tracemalloc.start()
    try:
        assert sum(1 for _ in read([str(path)])) == 80_000
        assert tracemalloc.get_traced_memory()[1] < 6 * blocks._BLOCK
    finally:
        tracemalloc.stop()


def test_bytes_read_are_counted_as_they_are_stored(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_bytes(b'{"a":1}\n' * 1000)
    (tmp_path / "b.ndjson.gz").write_bytes(gzip.compress(b'{"a":1}\n' * 1000))
    counts: list[int] = []
    assert sum(1 for _ in read([str(tmp_path)], advance=counts.append)) == 2000
    assert sum(counts) == size([str(tmp_path)]) == sum(file.stat().st_size for file in tmp_path.iterdir())
    assert size([str(tmp_path), "-"]) is None
    with pytest.raises(InputError):
        size([str(tmp_path / "nowhere")])


def together(*paths: Path) -> list[Portion]:
    return [item for item in read_together([str(path) for path in paths]) if isinstance(item, Portion)]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Portions of 1,000 bytes, records of 5,000 at most, which are read in parts of 64."""
    largest_record(5_000, monkeypatch)
    for name, count in (("_BLOCK", 1_000), ("_PART", 64), ("_PROBE", 64)):
        monkeypatch.setattr(blocks, name, count)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n \n"])
@pytest.mark.parametrize("longest", [40, 300, 999, 1_000, 1_001, 3_900, 4_100])
def test_lines_of_a_plain_file_come_in_portions_of_whole_lines(tmp_path: Path, longest: int, end: bytes) -> None:
    chance = random.Random(longest)
    lines = [ONE, TWO] + [
        b'{"id":"%s"}' % (b"x" * chance.randrange(longest - 9)) if chance.random() < 0.9 else b"" for _ in range(200)
    ]
    file = tmp_path / "a.ndjson"
    file.write_bytes(b"\r\n".join(lines) + end)
    portions = together(file)
    assert len(portions) > 3
    assert {each.before for each in portions[1:]} == {None}
    assert [each.start for each in portions[1:]] == [each.end for each in portions[:-1]]
    assert portions[0].before == file.read_bytes()[: portions[0].start].count(b"\n")
    expected = [Record(line, Place(str(file), number)) for number, line in enumerate(lines, start=1) if line]
    assert list(read([str(file)])) == expected


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("end", [b"", b"\n", b"\n\n \n"])
@pytest.mark.parametrize("longest", [40, 300, 999, 1_000, 1_001, 2_500, 4_100, 6_000])
def test_lines_of_a_stream_come_in_blocks_of_whole_lines(tmp_path: Path, longest: int, end: bytes) -> None:
    chance = random.Random(longest)
    lines = [ONE, TWO] + [
        b'{"id":"%s"}' % (b"x" * chance.randrange(longest - 9)) if chance.random() < 0.9 else b"" for _ in range(200)
    ]
    written = b"\r\n".join(lines) + end
    file = tmp_path / "a.ndjson.gz"
    file.write_bytes(gzip.compress(written))

    def expected(path: str) -> list[Record | Fault]:
        places = [(line, Place(path, number)) for number, line in enumerate(lines, start=1) if line]
        return [
            Record(*each) if len(each[0]) < 5_000 else Fault("input-size", each[1], {"limit": 0}) for each in places
        ]

    assert list(read([str(file)])) == expected(str(file))
    assert of_bytes(written) == expected("<stdin>")
    for at_once in (10, 64, 700, 5_000):
        stream = io.BufferedReader(_InPieces(written, at_once), 10_000)
        assert list(read(["-"], stream)) == expected("<stdin>")


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("long", [4_500, 5_000, 5_001, 9_000])
def test_a_long_line_among_portions_is_judged_as_ever(tmp_path: Path, long: int) -> None:
    line = b'{"id":"%s"}' % (b"x" * (long - 9))
    assert len(line) == long
    file = tmp_path / "a.ndjson"
    file.write_bytes(b"\n".join([ONE] * 100 + [line] + [TWO] * 100))
    found = list(read([str(file)]))
    assert [each.place.line for each in found] == list(range(1, 202))
    assert [each.place.line for each in found if isinstance(each, Fault)] == ([101] if long > 5_000 else [])
    assert len(together(file)) >= 3


@pytest.mark.usefixtures("small")
def test_portions_of_several_files_are_counted_each_from_its_own_start(tmp_path: Path) -> None:
    paths = [str(tmp_path / name) for name in ("a.ndjson", "b.ndjson")]
    for path in paths:
        Path(path).write_bytes(b"\n" * 3 + b"\n".join([ONE] * 100))
    found = list(read(paths))
    assert [(each.place.path, each.place.line) for each in found] == [
        (path, line) for path in paths for line in range(4, 104)
    ]


def test_what_is_no_plain_file_comes_as_lines(tmp_path: Path) -> None:
    text = b"\n".join([ONE, TWO] * 1_000)
    packed = tmp_path / "a.ndjson.gz"
    packed.write_bytes(gzip.compress(text))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(text,))
    writer.start()
    for given in (["-"], [str(packed)], [str(pipe)]):
        items = list(read_together(given, io.BytesIO(text)))
        assert any(isinstance(item, Lines) for item in items)
        assert not any(isinstance(item, Portion) for item in items)
    writer.join()


def test_standard_input_from_a_file_is_not_taken_for_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("<stdin>").write_bytes(TWO)
    Path("a").write_bytes(b"\n".join([ONE, TWO] * 1_000))
    code = "from fhir_keta.records.source import *; print(*{type(each).__name__ for each in read_together(['-'])})"
    with Path("a").open("rb") as stream:
        found = subprocess.run([sys.executable, "-c", code], stdin=stream, capture_output=True, text=True)
    assert set(found.stdout.split()) == {"Record", "Lines"}


def test_a_file_that_became_shorter_or_went_away_is_a_fault(tmp_path: Path) -> None:
    file = tmp_path / "a.ndjson"
    file.write_bytes((ONE + b"\n") * 1_000)
    (given,) = together(file)
    file.write_bytes(ONE)
    shorter = {"problem": "it became shorter while it was read"}
    assert given.read() == Fault("input-unreadable", Place(str(file)), shorter)
    file.unlink()
    assert given.read() == Fault("input-unreadable", Place(str(file)), {"problem": "No such file or directory"})


def test_a_link_that_leads_nowhere_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"{}")
    (tmp_path / "b.json").symlink_to(tmp_path / "gone.json")
    (tmp_path / "c.json").symlink_to(tmp_path / "a.json")
    found = list(read([str(tmp_path)]))
    assert [type(item) for item in found] == [Record, Fault, Record]
    assert found[1] == Fault(
        "input-unreadable", Place(str(tmp_path / "b.json")), {"problem": "No such file or directory"}
    )
    assert size([str(tmp_path)]) == 4
