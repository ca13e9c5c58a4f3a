"""What each tool's own output is read as; what is broken is said so, and never taken for a backup."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from backups.adopters import ADOPTERS, Adopter, AdopterContext, NotAnswered, build_adopter
from backups.adopters._settings import MAX_BACKUPS
from backups.adopting import ask_tool
from portalops.errors import ConfigurationError, LiteralSecret, UnknownKind
from portalops.model.adopted import AdoptedBackup
from portalops.model.backups import DataClass
from tests.backups.kit import table
from tests.doubles import MemoryKeeper

SAMPLES = Path(__file__).parents[2] / "samples" / "adopted"
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
SETTINGS: dict[str, dict[str, Any]] = {
    "restic": {"repository": "/srv/restic", "password": {"env": "RESTIC"}},
    "borg": {"repository": "/srv/borg"},
    "pgbackrest": {"stanza": "portal"},
    "barman": {"server": "portal"},
    "bareos": {"timezone": "Asia/Ho_Chi_Minh"},
    "folders": {"folder": "copies"},
}
PROGRAMS = [kind for kind in SETTINGS if kind != "folders"]


def adopter(kind: str, **values: Any) -> Adopter:
    settings = {"class": "content", **SETTINGS[kind], **values}
    return build_adopter(table(kind, settings, Path("/srv"), f"office-{kind}"), AdopterContext(ZONE))


def read(kind: str, name: str) -> tuple[AdoptedBackup, ...]:
    return adopter(kind).parse((SAMPLES / name).read_bytes()).backups


def test_every_kind_is_tried_here() -> None:
    assert set(ADOPTERS.names()) == set(SETTINGS)


def test_restic_tells_of_snapshots_with_host_size_and_end() -> None:
    first, second = read("restic", "restic-snapshots.json")

    assert first == AdoptedBackup(
        "restic",
        "fa4a297ce0534edbf6d65198291645d0e9f2053bd5a984b8d86b75dd4d01aa90",
        datetime(2026, 11, 25, 23, 57, 51, 382153, UTC),
        "web1",
        6,
        DataClass.CONTENT,
        first.about,
    )
    assert second.size_bytes == 8


def test_a_snapshot_of_a_restic_without_summaries_has_its_begin_and_no_size() -> None:
    old = [{"time": "2021-05-01T01:02:03.5+07:00", "hostname": "web1", "paths": ["/srv"], "id": "ab"}]

    (found,) = adopter("restic").parse(json.dumps(old).encode()).backups

    assert (found.made_at, found.size_bytes) == (datetime(2021, 4, 30, 18, 2, 3, 500000, UTC), None)


def test_borg_tells_of_archives_in_utc_and_of_no_size() -> None:
    first, _second = read("borg", "borg-list.json")

    assert (first.about, first.made_at) == ("web1-1", datetime(2026, 11, 25, 23, 57, 58, tzinfo=UTC))
    assert (first.size_bytes, first.problem) == (None, "")


def test_a_checkpoint_of_borg_is_no_good_backup() -> None:
    told = {"archives": [{"name": "web1-3.checkpoint.2", "id": "a", "time": "2026-11-25T23:57:58.000000"}]}

    (found,) = adopter("borg").parse(json.dumps(told).encode()).backups

    assert found.problem == "an interrupted run left it"


def test_pgbackrest_tells_of_labels_and_of_stanzas_without_backup() -> None:
    full, diff = read("pgbackrest", "pgbackrest-info.json")
    missing = adopter("pgbackrest").parse((SAMPLES / "pgbackrest-no-stanza.json").read_bytes())
    empty = adopter("pgbackrest").parse((SAMPLES / "pgbackrest-no-backup.json").read_bytes())

    assert (full.id, full.about, full.size_bytes) == ("20261125-235858F", "stanza portal, full", 23312172)
    assert full.made_at == datetime.fromtimestamp(1795651143, UTC)
    assert diff.about == "stanza portal, diff"
    assert (missing.backups, missing.notes) == ((), ("stanza portal: missing stanza path",))
    assert (empty.backups, empty.notes) == ((), ("stanza portal: no valid backups",))


def test_a_backup_of_pgbackrest_with_bad_pages_is_no_good_one() -> None:
    told = json.loads((SAMPLES / "pgbackrest-info.json").read_bytes())
    told[0]["backup"][0]["error"] = True

    assert adopter("pgbackrest").parse(json.dumps(told).encode()).backups[0].problem == "page checksums did not match"


def test_barman_tells_of_failed_backups_as_failed() -> None:
    failed, done = read("barman", "barman-list-backups.json")

    assert (failed.id, failed.made_at, failed.problem) == ("20261125T235944", None, "its status is FAILED")
    assert (done.made_at, done.size_bytes, done.problem) == (datetime.fromtimestamp(1795651160, UTC), 40226395, "")
    assert adopter("barman").parse((SAMPLES / "barman-none.json").read_bytes()).notes == (
        "server portal: it has no backup",
    )


def test_bareos_tells_of_backup_jobs_in_the_directors_time_and_of_no_other() -> None:
    good, bad = read("bareos", "bareos-llist-jobs.txt")

    assert (good.id, good.host, good.size_bytes, good.problem) == ("41", "web1-fd", 4651943000, "")
    assert good.made_at == datetime(2026, 11, 19, 18, 12, 40, tzinfo=UTC)
    assert (bad.size_bytes, bad.problem) == (None, "it ended with errors")


def test_an_error_of_bareos_is_no_list_without_jobs() -> None:
    with pytest.raises(NotAnswered, match="bareos says: failed"):
        adopter("bareos").parse((SAMPLES / "bareos-error.txt").read_bytes())


@pytest.mark.parametrize("kind", SETTINGS)
@pytest.mark.parametrize(
    "answer",
    [b"", b"nothing", b"[1]", b'{"archives": 3, "entries": 3, "portal": 3}', b"\xff\xfe", b"[" * 100_000, b'"text"'],
)
def test_an_answer_that_is_none_is_not_understood(kind: str, answer: bytes) -> None:
    with pytest.raises(NotAnswered):
        adopter(kind).parse(answer)


@pytest.mark.parametrize("kind", SETTINGS)
def test_odd_values_in_an_answer_make_no_backup_good_and_stop_nothing(kind: str) -> None:
    odd: dict[str, Any] = {
        "id": None,
        "name": "x\x1b[2J",
        "time": "2026-99-99",
        "end": 1e300,
        "summary": [],
        "paths": 3,
        "type": "B",
    }
    odd |= {
        "timestamp": 3,
        "info": [],
        "label": {},
        "realendtime": "soon",
        "size_bytes": -1,
        "end_time_timestamp": "9" * 30,
    }
    answer: Any = {
        "restic": [odd],
        "borg": {"archives": [odd]},
        "pgbackrest": [{"name": "a", "status": 3, "backup": [odd]}],
        "barman": {"portal": [odd]},
        "bareos": {"result": {"jobs": [odd]}},
        "folders": {"entries": [odd]},
    }[kind]

    claims = adopter(kind).parse(json.dumps(answer).encode())

    assert all(each.made_at is None and "\x1b" not in each.about for each in claims.backups)


@pytest.mark.parametrize("kind", PROGRAMS)
def test_a_tool_that_is_not_there_did_not_answer(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESTIC", "secret")

    look = ask_tool(adopter(kind, program="/nonexistent/tool"), MemoryKeeper())

    assert look.problem == "/nonexistent/tool is not installed"
    assert (look.backups, look.evidence, look.newest()) == ((), None, None)


@pytest.mark.parametrize(
    ("kind", "sample", "last_argument"),
    [("barman", "barman-list-backups.json", "portal"), ("bareos", "bareos-llist-jobs.txt", "/srv/b.conf")],
)
def test_a_tool_is_asked_as_the_dry_run_says_and_its_answer_kept_word_by_word(
    tmp_path: Path, kind: str, sample: str, last_argument: str
) -> None:
    program = tmp_path / kind
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/argv\ncat > {tmp_path}/stdin\ncat {SAMPLES / sample}\n')
    program.chmod(0o755)
    keeper = MemoryKeeper()
    asked = adopter(kind, program=str(program), **({"config": "b.conf"} if kind == "bareos" else {}))

    look = ask_tool(asked, keeper)

    assert look.evidence is not None
    assert keeper.blobs[look.evidence] == (SAMPLES / sample).read_bytes()
    assert (tmp_path / "argv").read_text().split() == list(asked.question().argv[1:])
    assert asked.question().argv[-1] == last_argument
    assert (tmp_path / "stdin").read_bytes() == asked.question().stdin
    assert look.newest() is not None


def test_a_failing_tools_last_words_never_hold_the_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESTIC", "hunter2")
    program = tmp_path / "restic"
    program.write_text('#!/bin/sh\necho "cannot log in with $RESTIC_PASSWORD" >&2\nexit 7\n')
    program.chmod(0o755)

    look = ask_tool(adopter("restic", program=str(program)), MemoryKeeper())

    assert look.problem == f"{program} ended with exit code 7: cannot log in with [secret]"


def test_the_newest_of_very_many_backups_are_recorded_and_the_others_counted(tmp_path: Path) -> None:
    for number in range(MAX_BACKUPS + 5):
        day = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=number)
        (tmp_path / f"copy-{day:%Y-%m-%d}").write_text("x")

    look = ask_tool(adopter("folders", folder=str(tmp_path)), MemoryKeeper())

    assert (len(look.backups), look.left_off) == (MAX_BACKUPS, 5)
    assert look.backups[-1].id == "copy-2022-10-01"


def test_folders_are_dated_by_their_names_in_the_portals_zone_and_measured(tmp_path: Path) -> None:
    (tmp_path / "portal-20261120-0130" / "db").mkdir(parents=True)
    (tmp_path / "portal-20261120-0130" / "db" / "dump").write_bytes(b"x" * 700)
    (tmp_path / "portal-20261120-0130" / "link").symlink_to("/etc/passwd")
    (tmp_path / "portal-20261121-0130").mkdir()
    (tmp_path / "portal-20261131-0130").mkdir()
    (tmp_path / "other").mkdir()
    asked = adopter("folders", folder=str(tmp_path), names="portal-%Y%m%d-%H%M")

    claims = asked.parse(asked.ask())

    full, empty = claims.backups
    assert (full.made_at, full.size_bytes, full.about) == (datetime(2026, 11, 19, 18, 30, tzinfo=UTC), 700, "files: 1")
    assert empty.problem == "it is empty"
    assert claims.notes == ("portal-20261131-0130: its name names no day that there is",)


def test_a_folder_that_is_not_there_did_not_answer() -> None:
    assert ask_tool(adopter("folders", folder="/nonexistent"), MemoryKeeper()).problem.startswith("cannot read /nonex")


@pytest.mark.parametrize(
    ("kind", "values", "error", "said"),
    [
        ("restic", {"password": "hunter2"}, LiteralSecret, "contains the secret itself"),
        ("restic", {"repository": "rest:https://u:hunter2@nas/"}, ConfigurationError, "holds a password"),
        ("borg", {"repository": "ssh://u:hunter2@nas/./r"}, ConfigurationError, "holds a password"),
        ("borg", {"secrets": {"BORG_RSH": "hunter2"}}, LiteralSecret, "contains the secret itself"),
        ("bareos", {"job": "x\nrun job=evil"}, ConfigurationError, "holds a control character"),
        ("bareos", {"job": "x run"}, ConfigurationError, "is not a job name"),
        ("bareos", {"timezone": "Mars"}, ConfigurationError, "is not a time zone"),
        ("folders", {"names": "portal-%Y-%m"}, ConfigurationError, "names no day"),
        ("folders", {"names": "%Y%m%d%d"}, ConfigurationError, "twice"),
        ("folders", {"names": "%Y%m%d%j"}, ConfigurationError, "has an unknown % code"),
        ("pgbackrest", {"class": "everything"}, ConfigurationError, "class"),
    ],
)
def test_settings_that_do_not_fit_are_refused_without_telling_a_secret(
    kind: str, values: dict[str, Any], error: type[ConfigurationError], said: str
) -> None:
    with pytest.raises(error) as caught:
        adopter(kind, **values)

    assert said in str(caught.value) and "hunter2" not in f"{caught.value} {caught.value.hint}"


def test_an_unknown_tool_is_named_with_those_that_there_are() -> None:
    with pytest.raises(UnknownKind, match="unknown kind: veeam"):
        build_adopter(table("veeam", {"class": "content"}, Path("/srv")), AdopterContext(ZONE))
