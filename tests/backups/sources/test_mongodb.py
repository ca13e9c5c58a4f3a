"""MongoDB: no server could be had, so archives are built by the format's own description, and a program stands in."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from backups.formats import Restored, format_of
from backups.formats._mongo_archive import ArchiveReader
from backups.sources.mongodb import Settings, dump_command, options_text
from portalops.model.backups import BackupResult, DataClass, Stream, TableRows, VerifyLevel
from portalops.model.record import Digest
from portalops.system.programs import LocalRunner
from tests.backups.kit import back_up, source
from tests.backups.memory import MemoryMedium

END = struct.pack("<i", -1)


def bson(**values: str | bool | int) -> bytes:
    """A document of texts, truth values and 64-bit numbers."""
    body = b""
    for name, value in values.items():
        key = name.encode() + b"\0"
        if isinstance(value, str):
            text = value.encode() + b"\0"
            body += b"\x02" + key + struct.pack("<i", len(text)) + text
        elif isinstance(value, bool):
            body += b"\x08" + key + bytes([value])
        else:
            body += b"\x12" + key + struct.pack("<q", value)
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def block(db: str, name: str, *documents: bytes, is_last: bool = False) -> bytes:
    header = bson(db=db, collection=name, EOF=is_last, CRC=-1 if is_last else 0)
    return header + b"".join(documents) + END


HEAD = b"\x6d\xe2\x99\x81" + bson(
    concurrent_collections=4, version="0.1", server_version="7.0.35", tool_version="100.9.4"
)
COLLECTIONS = bson(db="portal", collection="tin", metadata='{"indexes": []}', size=3) + bson(
    db="", collection="oplog", metadata="", size=0
)
NEWS = [bson(_id=n, title="tin " * n) for n in range(3)]
ARCHIVE = (
    HEAD
    + COLLECTIONS
    + END
    + block("portal", "tin", NEWS[0], NEWS[1])
    + block("", "oplog", bson(ts=1))
    + block("portal", "tin", NEWS[2])
    + block("portal", "tin", is_last=True)
    + block("", "oplog", is_last=True)
)


def read(archive: bytes, step: int = 1 << 16) -> ArchiveReader:
    reader = ArchiveReader()
    for at in range(0, len(archive), step):
        reader.take(archive[at : at + step])
    return reader


@pytest.mark.parametrize("step", [1, 3, 7, 100, 1 << 16])
def test_an_archive_is_read_in_pieces_of_any_size(step: int) -> None:
    reader = read(ARCHIVE, step)

    assert (reader.verdict(), reader.documents) == ("", {"portal.tin": 3})


def test_no_cut_goes_unnoticed() -> None:
    assert [cut for cut in range(len(ARCHIVE)) if not read(ARCHIVE[:cut]).verdict()] == []


@pytest.mark.parametrize(
    ("archive", "expected"),
    [
        (b"Failed: error", "it is no archive of mongodump"),
        (ARCHIVE.replace(block("", "oplog", is_last=True), b""), "the collection .oplog does not end"),
        (HEAD + END, "it has no oplog, so it is not of one moment"),
        (ARCHIVE + block("portal", "tin", is_last=True)[:-4] + NEWS[0] + END, "goes on behind its end"),
        (HEAD + COLLECTIONS + END + struct.pack("<i", 3), "a document has the length 3"),
        (HEAD + COLLECTIONS + END + struct.pack("<i", 1 << 30), "a header has the length 1073741824"),
        (HEAD + COLLECTIONS + END + bson(other="x") + END, "a header names no collection"),
        (b"", "it is cut short"),
    ],
)
def test_what_is_wrong_with_an_archive_is_named(archive: bytes, expected: str) -> None:
    assert expected in read(archive).verdict()


def run(folder: Path, archive: bytes, script: str = "", **values: object) -> tuple[BackupResult, MemoryMedium]:
    (folder / "archive").write_bytes(archive)
    program = folder / "mongodump"
    program.write_text(f'#!/bin/sh\necho "$@" > {folder}/argv\n{script}\ncat {folder}/archive\n')
    program.chmod(0o755)
    medium = MemoryMedium("memory-1")
    return back_up([source("mongodb", {"program": str(program), **values}, folder, id="mongo")], [medium]), medium


def test_a_whole_archive_becomes_a_stream_with_its_counts(tmp_path: Path) -> None:
    result, _medium = run(tmp_path, ARCHIVE)

    assert result.set is not None, result.failed_sources
    (stream,) = result.set.streams
    assert (stream.name, stream.format, stream.rows) == ("archive", "mongodb-archive", (TableRows("portal.tin", 3),))


@pytest.mark.parametrize(
    ("archive", "script", "expected"),
    [
        (ARCHIVE[:-4], "", "the archive is incomplete: it is cut short"),
        (
            b"",
            # mongodump 100.9 against a standalone server, as its users show it
            "echo 'Failed: error getting oplog start: error getting recent oplog entry: mongo: no documents in result' >&2; exit 1",
            "mongodump ended with exit code 1: Failed: error getting oplog start",
        ),
        (ARCHIVE, "cat $(dirname $0)/archive; exit 1", "mongodump ended with exit code 1"),
    ],
)
def test_an_archive_that_does_not_count_leaves_no_set(
    tmp_path: Path, archive: bytes, script: str, expected: str
) -> None:
    result, medium = run(tmp_path, archive, script)

    assert result.set is None
    assert expected in result.failed_sources[0]
    assert medium.stored == {}


def test_the_password_stands_in_a_private_file_alone(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("mật: 'khẩu' \"#{}")
    (tmp_path / "password").chmod(0o600)
    script = f'for each; do case $each in --config=*) cp -p "${{each#*=}}" {tmp_path}/seen;; esac; done'

    result, _medium = run(tmp_path, ARCHIVE, script, user="backup", password={"file": "password"})

    assert result.set is not None, result.failed_sources
    assert (tmp_path / "seen").stat().st_mode & 0o777 == 0o600
    assert json.loads((tmp_path / "seen").read_text().removeprefix("password: ")) == "mật: 'khẩu' \"#{}"
    argv = (tmp_path / "argv").read_text().split()
    assert argv[1:] == [
        "--host=127.0.0.1",
        "--username=backup",
        "--authenticationDatabase=admin",
        "--oplog",
        "--archive",
    ]
    assert not Path(argv[0].removeprefix("--config=")).exists()


def test_a_password_that_is_not_to_be_had_fails_this_source_alone(tmp_path: Path) -> None:
    result, _medium = run(tmp_path, ARCHIVE, user="backup", password={"file": "password"})

    assert "password" in result.failed_sources[0]


def test_the_command_is_built_purely() -> None:
    settings = Settings.model_validate(
        {"class": "content", "host": "rs0/a,b", "port": 27018, "tls": True, "minimum_bytes": 1}
    )

    assert dump_command(settings, None) == (
        "mongodump",
        "--host=rs0/a,b",
        "--port=27018",
        "--ssl",
        "--oplog",
        "--archive",
    )
    assert options_text("a\nb") == b'password: "a\\nb"\n'


def test_a_trial_reads_the_structure_and_claims_no_more(tmp_path: Path) -> None:
    stream = Stream(
        "mongo", "mongodb", DataClass.CONTENT, "archive", "mongodb-archive", 1, 1, Digest("0" * 64), (), None, (), (), (),
        (TableRows("portal.tin", 4),),
    )  # fmt: skip
    place = tmp_path / "archive"
    place.write_bytes(ARCHIVE[:-4])

    trial = format_of(stream).try_out(Restored(stream, place, tmp_path, lambda: iter(()), LocalRunner()))

    assert trial.level is VerifyLevel.L3
    assert trial.problems == ("it is cut short", "collection portal.tin: 3 documents instead of 4")
