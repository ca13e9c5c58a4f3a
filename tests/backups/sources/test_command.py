from __future__ import annotations

import time
from pathlib import Path

import pytest

from portalops.model.backups import BackupResult
from tests.backups.kit import back_up, source
from tests.backups.memory import MemoryMedium


def run(folder: Path, *command: str, **values: object) -> tuple[BackupResult, MemoryMedium]:
    medium = MemoryMedium("memory-1")
    return back_up([source("command", {"command": list(command), **values}, folder, id="dump")], [medium]), medium


def why(result: BackupResult) -> str:
    assert result.set is None
    return result.failed_sources[0]


def test_output_becomes_a_stream(tmp_path: Path) -> None:
    result, _medium = run(tmp_path, "sh", "-c", "head -c 3000000 /dev/zero; echo noise >&2", minimum_bytes=3_000_000)

    assert result.set is not None
    (stream,) = result.set.streams
    assert (stream.format, stream.plain_bytes, stream.members, stream.index) == ("raw", 3_000_000, 1, None)


def test_a_program_that_says_far_more_than_a_pipe_holds_is_heard_while_it_prints(tmp_path: Path) -> None:
    script = "for n in 1 2 3 4 5 6 7 8; do head -c 400000 /dev/zero; head -c 200000 /dev/zero >&2; done; echo end"

    result, _medium = run(tmp_path, "sh", "-c", script, minimum_bytes=3_200_004, idle_seconds=20, trailer="end")

    assert result.set is not None
    assert result.set.streams[0].plain_bytes == 3_200_004


@pytest.mark.parametrize(
    ("command", "values", "expected"),
    [
        (("sh", "-c", "echo half; echo 'disk on fire' >&2; exit 3"), {}, "exit code 3: disk on fire"),
        (("sh", "-c", "echo half; kill -9 $$"), {}, "exit code -9"),
        (("sh", "-c", "{ echo 'x: error: no room'; seq 9999; } >&2; exit 1"), {}, "exit code 1: x: error: no room"),
        (("no-such-program",), {}, "no-such-program cannot be run: No such file or directory"),
        (("true",), {}, "it has 0 bytes of content, but at least 1 are expected"),
        (("echo", "short"), {"minimum_bytes": 100}, "6 bytes of content, but at least 100"),
        (("echo", "CREATE TABLE"), {"trailer": "-- Dump completed"}, "does not end with '-- Dump completed'"),
        (("sh", "-c", "echo x; sleep 60"), {"idle_seconds": 1}, "printed nothing for 1 s"),
        (("sh", "-c", "echo x; exec >&- 2>&-; sleep 60"), {"idle_seconds": 3}, "closed its output but did not end"),
    ],
)
def test_a_program_that_fails_leaves_no_set(
    tmp_path: Path, command: tuple[str, ...], values: dict[str, object], expected: str
) -> None:
    started = time.monotonic()

    result, medium = run(tmp_path, *command, **values)

    assert expected in why(result)
    assert medium.stored == {}
    assert time.monotonic() - started < 50


def test_the_trailer_may_be_followed_by_white_space(tmp_path: Path) -> None:
    result, _medium = run(tmp_path, "printf", "data\n-- Dump completed\n\n", trailer="-- Dump completed")

    assert result.set is not None


def test_no_shell_reads_the_arguments(tmp_path: Path) -> None:
    run(tmp_path, "echo", f"$(touch {tmp_path}/pwned); touch {tmp_path}/pwned")

    assert not (tmp_path / "pwned").exists()


def test_a_failed_stream_of_many_packs_is_taken_back(tmp_path: Path) -> None:
    medium = MemoryMedium("memory-1")
    sources = [
        source("command", {"command": ["echo", "first"]}, tmp_path, id="first"),
        source("command", {"command": ["sh", "-c", "head -c 5000000 /dev/urandom; exit 1"]}, tmp_path, id="failing"),
        source("command", {"command": ["echo", "last"]}, tmp_path, id="last"),
    ]

    result = back_up(sources, [medium], pack_bytes=1 << 20)

    assert result.set is not None
    assert sorted(path for path in medium.stored[result.set.id] if path.startswith("data/")) == [
        "data/content/first/output.0001.age",
        "data/content/last/output.0001.age",
    ]
