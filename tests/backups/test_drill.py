"""Drills: a copy is restored and used, and what is wrong with it is found although every digest is right."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from backups.bag import digest_of
from backups.drill import PERSON, DrillPlace, DrillTarget, choose_target, draw_on_media, require_space, run_drill, tried
from backups.drill_script import ScriptSubject, run_script
from backups.formats import Restored, format_of
from backups.merged import merge_base
from backups.restore_script import PROGRAMS
from backups.set_file import parse_set_file
from portalops.errors import BackupError, WrongKey
from portalops.model.backups import BackupSet, Copy, CopyState, DrillResult, SetId, SetKind, Stream, VerifyLevel
from portalops.model.record import Digest
from portalops.model.verdicts import RunOutcome
from portalops.ports import Completed, Medium, Readable, Runner
from portalops.registers.backups import SetEvidence
from portalops.system.programs import LocalRunner, UnprivilegedRunner
from tests.backups.kit import NOW, alone, back_up, keys, odd_tree, sample_database, signing, source
from tests.backups.memory import MemoryMedium, MemoryStoredSet
from tests.backups.test_differential import Weeks, edit
from tests.doubles import FixedClock, SilentProgress


class Drilled:
    """A set on a medium, and drills of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.medium = MemoryMedium("memory-1")
        self.database = sample_database(folder / "portal.sqlite")
        self.sources = [
            source("files", {"include": [str(odd_tree(folder / "portal"))], "class": "related"}, folder, id="uploads"),
            source("sqlite", {"database": str(self.database)}, folder, id="database"),
            source("command", {"command": ["printf", "dn: dc=vn\\n"], "class": "accounts"}, folder, id="ldap"),
        ]
        result = back_up(self.sources, [self.medium])
        assert result.set is not None
        self.made = SetEvidence(7, NOW, result.set, result.copies, ())
        self.scratch = folder / "scratch"
        self.scratch.mkdir()

    def drill(self, *, identity: str = "", user: str = "", runner: Runner | None = None) -> DrillResult:
        return drill(self.medium, self.made, self.scratch, identity=identity, user=user, runner=runner)


def drill(
    medium: MemoryMedium,
    made: SetEvidence,
    scratch: Path,
    *,
    bases: Sequence[Medium] | None = None,
    identity: str = "",
    user: str = "",
    runner: Runner | None = None,
) -> DrillResult:
    from backups.age import parse_identity

    runner = runner or (UnprivilegedRunner(user) if user else LocalRunner())
    return run_drill(
        DrillTarget(made, made.copies[0], "person"),
        medium.open_set(made.set.id),
        find_base=lambda content: merge_base(content, [medium] if bases is None else bases),
        identities=[parse_identity(identity) if identity else keys().identity],
        keys=None,
        place=DrillPlace(scratch, user, runner),
        clock=FixedClock(NOW),
        progress=SilentProgress(),
    )


@pytest.fixture
def drilled(tmp_path: Path) -> Drilled:
    return Drilled(tmp_path)


def test_everything_is_restored_used_and_removed_again(drilled: Drilled) -> None:
    result = drilled.drill()

    (copy,) = result.copies
    assert (copy.state, copy.level, copy.verified_at, copy.problem) == (CopyState.VERIFIED, VerifyLevel.L3, NOW, "")
    assert [(each.source, each.level, each.asked) for each in result.trials] == [
        ("uploads", VerifyLevel.L4, "10 files compared with the index"),
        ("database", VerifyLevel.L4, "2 tables, 500 rows, integrity_check"),
        ("ldap", VerifyLevel.L3, ""),
    ], "the level of the copy is the lowest one: nothing can be asked of a raw dump"
    assert result.plain_bytes == sum(stream.plain_bytes for stream in drilled.made.set.streams)
    assert list(drilled.scratch.iterdir()) == []


NEEDED = pytest.mark.needs(*PROGRAMS)


def ran(result: DrillResult) -> tuple[tuple[str, ...], str]:
    assert result.script is not None
    return result.script.problems, result.script.not_run


@NEEDED
def test_the_sets_own_script_is_run_as_a_stranger_runs_it(drilled: Drilled) -> None:
    result = drilled.drill()

    assert ran(result) == ((), "")
    assert result.script is not None and result.script.took_ms > 0


class Programs:
    """A `Runner` that records what it runs, and before a restore changes what is there."""

    def __init__(self, *, missing: str = "", before: Callable[[dict[str, str]], object] = lambda _values: None) -> None:
        self._runner = LocalRunner()
        self._missing = missing
        self._before = before
        self.key = ""

    def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout_seconds: float = 60.0, limit_bytes: int = 8 << 20
    ) -> Completed:
        if argv[0] == "sh" and self._missing in argv[3:]:
            return Completed(0, f"{self._missing}\n".encode(), b"")
        if argv[0] == "env":
            values = dict(each.partition("=")[::2] for each in argv if "=" in each)
            self.key = values["KEY"]
            assert Path(self.key).read_text().startswith("AGE-SECRET-KEY-1")
            self._before({**values, "SCRIPT": argv[-1]})
        return self._runner.run(argv, stdin=stdin, timeout_seconds=timeout_seconds, limit_bytes=limit_bytes)


@NEEDED
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_scratch_folder_that_the_user_cannot_reach_is_no_fault_of_the_copy(drilled: Drilled) -> None:
    drilled.folder.chmod(0o700)

    result = drilled.drill(user="nobody")

    assert ran(result)[0] == () and "the user nobody cannot reach the scratch folder" in ran(result)[1]
    assert result.copies[0].state is CopyState.VERIFIED


def test_a_missing_program_is_no_fault_of_the_copy(drilled: Drilled) -> None:
    result = drilled.drill(runner=Programs(missing="zstd"))

    assert ran(result) == ((), "these programs are missing here: zstd")
    assert result.copies[0].state is CopyState.VERIFIED


@NEEDED
def test_the_key_lies_in_no_file_after_the_script(drilled: Drilled) -> None:
    programs = Programs()

    drilled.drill(runner=programs)

    assert programs.key and not Path(programs.key).exists()


@NEEDED
def test_a_script_that_restores_something_else_is_named_and_the_copy_stays_whole(drilled: Drilled) -> None:
    def make_other_script(values: dict[str, str]) -> None:
        path = Path(values["SCRIPT"])
        path.write_text(path.read_text().replace("DONE=yes", 'echo other > "$TO/ldap/output.raw"\nDONE=yes'))
        list_anew(path.parent)

    result = drilled.drill(runner=Programs(before=make_other_script))

    assert ran(result) == (("ldap/output: not the bytes that were backed up",), "")
    assert result.copies[0].state is CopyState.VERIFIED


@NEEDED
def test_a_script_that_stops_says_where(drilled: Drilled) -> None:
    result = drilled.drill(runner=Programs(before=lambda values: Path(values["SCRIPT"]).with_name("set.json").unlink()))

    (problem,), not_run = ran(result)
    assert problem.startswith("restore.sh stopped: ") and "Checking every byte of the set" in problem and not not_run


def list_anew(folder: Path) -> None:
    names = sorted(each.name for each in folder.iterdir() if each.is_file() and not each.name.startswith("tagmanifest"))
    lines = (f"{digest_of((folder / name).read_bytes())}  {name}\n" for name in names)
    (folder / "tagmanifest-sha256.txt").write_text("".join(lines))


def test_a_script_that_nothing_vouches_for_is_not_run(drilled: Drilled, tmp_path: Path) -> None:
    stored = drilled.medium.open_set(drilled.made.set.id)
    content = parse_set_file(drilled.medium.stored[drilled.made.set.id]["set.json"])
    subject = ScriptSubject(alone(stored, content), drilled.made.set.bag_sha256, None, [keys().identity], False)
    old = replace(subject, copies=alone(stored, replace(content, tag_files={})), is_vouched=True)

    assert "nothing vouches for restore.sh" in run_script(subject, tmp_path, user="", runner=LocalRunner()).not_run
    assert run_script(old, tmp_path, user="", runner=LocalRunner()).not_run == "the set has no restore.sh"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_as_root_programs_run_as_somebody_who_may_do_nothing(drilled: Drilled) -> None:
    drilled.scratch.chmod(0o755)
    for folder in (drilled.folder, *drilled.folder.parents):
        if folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)

    result = drilled.drill(user="nobody")

    assert result.copies[0].state is CopyState.VERIFIED, result
    assert ran(result) == ((), "")
    done = UnprivilegedRunner("nobody").run(
        ("sh", "-c", "id -un; id -G; ls /sys/class/net | head -c 200; cat /etc/shadow")
    )
    assert done.stdout.split()[0] == b"nobody" and done.exit_code != 0
    assert b"eth0" not in UnprivilegedRunner("nobody").run(("cat", "/proc/net/dev")).stdout


def test_a_copy_with_a_changed_byte_is_damaged_before_anything_is_restored(drilled: Drilled) -> None:
    files = drilled.medium.stored[drilled.made.set.id]
    path = next(path for path in files if path.startswith("data/content"))
    files[path] = files[path][:-1] + bytes([files[path][-1] ^ 1])

    result = drilled.drill()

    (copy,) = result.copies
    assert copy.state is CopyState.DAMAGED and path in copy.problem
    assert result.trials == () and list(drilled.scratch.iterdir()) == []


def test_a_wrong_key_is_told(drilled: Drilled) -> None:
    import pyrage

    with pytest.raises(WrongKey):
        drilled.drill(identity=str(pyrage.x25519.Identity.generate()))
    assert list(drilled.scratch.iterdir()) == []


def test_a_drill_that_has_no_room_is_refused(drilled: Drilled) -> None:
    with pytest.raises(
        BackupError, match=r"the drill needs about [\d,.]+ PiB in .*scratch, but only [\d.]+ [MGT]iB are free"
    ):
        require_space(drilled.scratch, 1 << 60)
    with pytest.raises(BackupError, match="cannot make a scratch folder"):
        drill(drilled.medium, drilled.made, drilled.folder / "none")
    (drilled.folder / "file").touch()
    with pytest.raises(BackupError, match="cannot make a scratch folder"):
        require_space(drilled.folder / "file", 0)


def test_a_differential_is_drilled_together_with_its_base(tmp_path: Path) -> None:
    weeks = Weeks(tmp_path, odd_tree(tmp_path / "portal"))
    for what in ("other content", "a removed folder", "a folder in place of a file"):
        edit(weeks.tree, what)
    made = weeks.differential()
    medium = weeks.medium
    assert isinstance(medium, MemoryMedium)
    (tmp_path / "scratch").mkdir()
    copy = Copy(made.id, medium.id, medium.kind, CopyState.VERIFIED, VerifyLevel.L2, NOW)

    result = drill(medium, SetEvidence(9, NOW, made, (copy,), ()), tmp_path / "scratch")

    assert result.copies[0].state is CopyState.VERIFIED, result
    assert [(each.stream, each.asked) for each in result.trials] == [("files", "8 files compared with the index")]
    assert ran(result) == ((), "")
    with pytest.raises(BackupError, match="could not be read"):
        drill(medium, SetEvidence(9, NOW, made, (copy,), ()), tmp_path / "scratch", bases=[])


def restored(place: Path, stream: Stream) -> Restored:
    return Restored(stream, place, place.parent / "room", lambda: iter(()), LocalRunner())


def test_a_database_with_other_rows_is_found_out(drilled: Drilled, tmp_path: Path) -> None:
    stream = next(stream for stream in drilled.made.set.streams if stream.source == "database")
    copied = tmp_path / "restored.sqlite"
    copied.write_bytes(drilled.database.read_bytes())
    with closing(sqlite3.connect(copied)) as connection:
        connection.execute("DELETE FROM article WHERE id = 3")
        connection.execute('DROP TABLE "kênh ""chính"""')
        connection.commit()

    trial = format_of(stream).try_out(restored(copied, stream))

    assert trial.level is VerifyLevel.L4
    assert trial.problems == (
        "table article: 499 rows instead of 500",
        'table kênh "chính": no such table: kênh "chính"',
    )


def test_a_file_that_is_no_database_is_found_out(drilled: Drilled, tmp_path: Path) -> None:
    stream = next(stream for stream in drilled.made.set.streams if stream.source == "database")
    (tmp_path / "noise").write_bytes(os.urandom(8192))

    trial = format_of(stream).try_out(restored(tmp_path / "noise", stream))

    assert trial.problems == ("file is not a database",)


def _evidence(number: int, *media: str, state: CopyState = CopyState.VERIFIED) -> SetEvidence:
    made = BackupSet(
        SetId(f"set-{number}"), SetKind.FULL, "demo", NOW, RunOutcome.COMPLETE, (), (), Digest(f"{number:064x}"), 1
    )
    copies = tuple(Copy(made.id, medium, "disk", state, VerifyLevel.L2, NOW) for medium in media)
    return SetEvidence(number, NOW, made, copies, ())


def test_the_copy_is_chosen_by_chance_among_those_that_can_be_reached() -> None:
    sets = [
        _evidence(1, "a", "b"),
        _evidence(2, "b"),
        _evidence(3, "gone"),
        _evidence(4, "a", state=CopyState.DAMAGED),
    ]
    asked: list[int] = []

    def last(count: int) -> int:
        asked.append(count)
        return count - 1

    chosen = choose_target(sets, ["a", "b"], chance=last)

    assert chosen is not None and (chosen.made.set.id, chosen.copy.medium, chosen.chosen_by) == ("set-2", "b", "chance")
    assert asked == [2, 1], "first one of two sets, then one of its copies"
    assert choose_target(sets, ["nowhere"]) is None
    assert {choose_target(sets, ["a", "b"]).made.set.id for _each in range(60)} == {"set-1", "set-2"}  # type: ignore[union-attr]


class NoPrograms:
    """A machine on which nothing is installed."""

    def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout_seconds: float = 60.0, limit_bytes: int = 8 << 20
    ) -> Completed:
        return Completed(127, b"", f"{argv[0]}: not found".encode())


def test_what_cannot_be_tried_out_here_is_no_damage_and_no_pass(drilled: Drilled, tmp_path: Path) -> None:
    dump = replace(drilled.made.set.streams[2], format="postgresql-custom")
    (tmp_path / "dump").write_bytes(b"PGDMP")

    trial = tried(Restored(dump, tmp_path / "dump", drilled.scratch, lambda: iter(()), NoPrograms()))

    assert (trial.level, trial.problems) == (VerifyLevel.L3, ())
    assert "there is no initdb" in trial.not_tried


class DribblingMedium(MemoryMedium):
    """A medium that gives fewer bytes than are asked for, as a read may."""

    def open_set(self, set_id: SetId) -> MemoryStoredSet:
        return DribblingSet(self.stored[set_id])


class DribblingSet(MemoryStoredSet):
    @contextmanager
    def open(self, path: str) -> Iterator[Readable]:
        with super().open(path) as file:
            yield Dribble(file)


class Dribble:
    def __init__(self, file: Readable) -> None:
        self._file = file

    def read(self, size: int, /) -> bytes:
        return self._file.read(min(size, 100))


def test_a_set_that_is_drawn_from_a_medium_is_known_by_all_of_its_tag_manifest(tmp_path: Path) -> None:
    medium = DribblingMedium("memory-1")
    sources = [source("files", {"include": [str(odd_tree(tmp_path / "portal"))]}, tmp_path)]
    made = back_up(sources, [medium], signer=signing()).set
    assert made is not None

    drawn = draw_on_media([medium], lambda _name: True, signing().known(), chosen_by=PERSON)

    assert drawn.target is not None and drawn.refused == ()
    assert drawn.target.made.set.bag_sha256 == made.bag_sha256
