"""Databases of a real MariaDB, backed up, restored into a throw-away server, and compared."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from backups.drill import DrillPlace, DrillTarget, run_drill
from backups.extract import prepare_target
from backups.formats import Restored, Trial, format_of
from backups.formats._mariadbd import throw_away
from backups.formats._parts import Commands
from backups.formats.mariadb_sql import guide
from backups.restore import restore_set
from backups.set_file import parse_set_file
from portalops.errors import BackupError, SourceUnavailable, UnsafeTarget
from portalops.model.backups import BackupResult, CopyState, DataClass, Stream, TableRows, VerifyLevel
from portalops.model.record import Digest
from portalops.model.verdicts import RunOutcome
from portalops.ports import AskableSource, Completed
from portalops.registers.backups import SetEvidence
from tests.backups.kit import NOW, alone, back_up, keys, source
from tests.backups.mariadb.conftest import NOBODY, WAITING, Server, servers, unprivileged
from tests.backups.memory import MemoryMedium
from tests.doubles import FixedClock, SilentProgress

PWNED = Path(tempfile.gettempdir()) / "portalops-pwned"
"""What a hostile dump would leave behind."""

PORTAL = """
CREATE OR REPLACE DATABASE `{db}` CHARACTER SET utf8mb4 COLLATE utf8mb4_vietnamese_ci;
USE `{db}`;
CREATE TABLE article (id INT PRIMARY KEY AUTO_INCREMENT, title VARCHAR(200), body LONGTEXT, image LONGBLOB,
  place POINT, facts JSON, next_id INT AS (id + 1) VIRTUAL) AUTO_INCREMENT = 50;
INSERT INTO article (title, body, image, place, facts) VALUES
  ('Tin tức', 'dòng 1\\n(1),(2);\\r\\n\\0\\Z\\\\ ''trích'' "dẫn" 😀', x'00ff270a5c0d1a', POINT(1, 2), '{{"a": "b\\\\n"}}'),
  ('', NULL, NULL, NULL, NULL), ('INSERT INTO `article` VALUES\\n(9)', '', '', NULL, NULL);
CREATE TABLE `trống` (id INT);
CREATE TABLE `bảng ``lạ "x" '; DROP DATABASE mysql; --` (`cột ``1` INT);
INSERT INTO `bảng ``lạ "x" '; DROP DATABASE mysql; --` VALUES (1), (2);
CREATE TABLE old_counter (id INT, KEY (id)) ENGINE = MyISAM;
INSERT INTO old_counter VALUES (1), (2), (3);
CREATE TABLE parts (id INT) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE);
INSERT INTO parts SELECT seq FROM seq_1_to_20;
CREATE TABLE price (id INT PRIMARY KEY, amount INT) WITH SYSTEM VERSIONING;
INSERT INTO price VALUES (1, 10), (2, 20);
UPDATE price SET amount = 11 WHERE id = 1;
CREATE SEQUENCE number START WITH 7;
CREATE VIEW titles AS SELECT id, title FROM article WHERE title <> 'a\\n(b';
CREATE TABLE log (said TEXT);
DELIMITER //
CREATE TRIGGER remember AFTER INSERT ON article FOR EACH ROW BEGIN
  INSERT INTO log VALUES
(NEW.title);
END//
CREATE PROCEDURE publish(IN which INT) BEGIN UPDATE article SET body = CONCAT(body, 'é
(xong)') WHERE id = which; END//
CREATE FUNCTION half(n INT) RETURNS INT DETERMINISTIC RETURN n / 2//
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO DELETE FROM log WHERE said = ''//
DELIMITER ;
"""
ROWS = {
    "article": 3,
    'bảng `lạ "x" \'; DROP DATABASE mysql; --': 2,
    "log": 0,
    "old_counter": 3,
    "parts": 20,
    "price": 3,
    "trống": 0,
}


def run(server: Server, folder: Path, **values: object) -> tuple[BackupResult, MemoryMedium]:
    medium = MemoryMedium("memory-1")
    made = source("mariadb", server.source(**values), folder, id="portal-db")
    return back_up([made], [medium]), medium


def test_a_server_that_is_asked_says_what_would_be_backed_up(mariadb: Server, tmp_path: Path) -> None:
    mariadb.run("CREATE OR REPLACE DATABASE asked")
    made = source("mariadb", mariadb.source(databases=["asked"]), tmp_path, id="portal-db")
    other = source("mariadb", mariadb.source(databases=["no-such"]), tmp_path, id="portal-db")
    assert isinstance(made, AskableSource) and isinstance(other, AskableSource)

    assert str(made.ask()) == "a server of MariaDB or MySQL with 1 database to be backed up"
    with pytest.raises(SourceUnavailable, match="the account sees no database no-such"):
        other.ask()
    mariadb.run("DROP DATABASE asked")


def streams(result: BackupResult) -> dict[str, Stream]:
    assert result.set is not None, result.failed_sources
    return {stream.name: stream for stream in result.set.streams}


def restored(result: BackupResult, medium: MemoryMedium, target: Path) -> Path:
    assert result.set is not None
    content = parse_set_file(medium.stored[result.set.id]["set.json"])
    report = restore_set(alone(medium.open_set(result.set.id), content), [keys().identity], target)
    assert report.damaged == ()
    return target / "portal-db"


def why(result: BackupResult) -> str:
    assert result.set is None
    return result.failed_sources[0]


def tried(stream: Stream, place: Path, scratch: Path) -> Trial:
    """Try a stream out as a drill does: what it reads and writes belongs to the unprivileged user."""
    copy = scratch / "restored.sql"
    copy.unlink(missing_ok=True)
    shutil.copyfile(place, copy)
    work = scratch / f"work-{time.monotonic_ns()}"
    work.mkdir()
    if os.geteuid() == 0:
        shutil.chown(copy, NOBODY)
        shutil.chown(work, NOBODY)
    copy.chmod(0o600)
    return format_of(stream).try_out(Restored(stream, copy, work, lambda: iter(()), unprivileged()))


@pytest.fixture(scope="module")
def portal(mariadb: Server) -> str:
    """The name of a database with everything odd in it."""
    mariadb.run(PORTAL.format(db="cổng-1"))
    return "cổng-1"


@pytest.mark.heavy
def test_everything_in_a_database_comes_back(mariadb: Server, portal: str, tmp_path: Path, scratch: Path) -> None:
    result, medium = run(mariadb, tmp_path, databases=[portal], users=False)

    (stream,) = streams(result).values()
    assert result.set is not None and result.set.outcome is RunOutcome.COMPLETE, stream
    assert (stream.format, stream.unread, stream.changed, stream.skipped) == ("mariadb-sql", (), (), ())
    assert {each.table: each.rows for each in stream.rows} == ROWS
    dump = restored(result, medium, tmp_path / "out") / f"{stream.name}.sql"
    assert dump.read_bytes().startswith(
        "-- CHARACTER SET utf8mb4 COLLATE utf8mb4_vietnamese_ci\n-- DATABASE cổng-1\n/*M!999999\\- ".encode()
    )

    trial = tried(stream, dump, scratch)

    assert trial == Trial(VerifyLevel.L4, (), "7 tables, 31 rows, 1 view, 1 trigger, 2 routines, 1 event, CHECK TABLE")
    assert not [line for line in servers() if str(scratch) in line]


@pytest.mark.heavy
def test_a_restored_database_is_the_same_row_by_row(mariadb: Server, portal: str, tmp_path: Path) -> None:
    result, medium = run(mariadb, tmp_path, databases=[portal], users=False)
    (stream,) = streams(result).values()
    dump = restored(result, medium, tmp_path / "out") / f"{stream.name}.sql"
    prefix, to = f"p{os.getpid()}-", f"p{os.getpid()}-{stream.name}_restored"

    steps = guide(stream, "cat dump", f"portal-db/{stream.name}.sql")
    commands = [line for part in steps if isinstance(part, Commands) for line in part.lines]
    mariadb.run(f"DROP DATABASE IF EXISTS `{to}`")
    script = "\n".join(["set -e; stop() { echo $*; return 1; }", *commands[2:]])
    done = in_guide(mariadb, tmp_path, script, prefix)

    assert done.returncode == 0, done.stderr
    assert dump.exists()
    assert mariadb.rows(to) == mariadb.rows(portal)
    assert len(mariadb.rows(to)["article"]) == 3
    for what, columns in (
        ("TRIGGERS", "TRIGGER_NAME, ACTION_STATEMENT, SQL_MODE, DEFINER"),
        ("EVENTS", "EVENT_NAME, EVENT_DEFINITION, INTERVAL_VALUE, TIME_ZONE"),
        ("ROUTINES", "ROUTINE_NAME, ROUTINE_DEFINITION, DTD_IDENTIFIER, IS_DETERMINISTIC"),
    ):
        schema = what[:-1] if what != "ROUTINES" else "ROUTINE"
        of = f"SELECT {columns} FROM information_schema.{what} WHERE {schema}_SCHEMA = '{{}}' ORDER BY 1"
        assert mariadb.run(of.format(to)) == mariadb.run(of.format(portal)) != ""
    history = "SELECT id, amount FROM `{}`.price FOR SYSTEM_TIME ALL ORDER BY id, amount"
    assert mariadb.run(history.format(to)) == mariadb.run(history.format(portal)) == "1\t10\n1\t11\n2\t20\n"
    assert mariadb.run(f"SELECT NEXTVAL(`{to}`.number)") == "7\n"
    charset = "SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '{}'"
    assert mariadb.run(charset.format(to)) == "utf8mb4_vietnamese_ci\n"

    mariadb.run(f"INSERT INTO `{to}`.`trống` VALUES (5)")
    again = in_guide(mariadb, tmp_path, script, prefix)

    assert "database exists" in again.stderr
    assert mariadb.rows(to)["trống"] == ["5"]


@pytest.mark.needs("dash", "age", "zstd", "tar")
def test_the_script_loads_a_database_into_a_new_name(mariadb: Server, portal: str, tmp_path: Path) -> None:
    result, medium = run(mariadb, tmp_path, databases=[portal])
    assert result.set is not None
    for path, data in medium.stored[result.set.id].items():
        (tmp_path / "a bag" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "a bag" / path).write_bytes(data)
    keys().file(tmp_path)
    (name,) = (name for name in streams(result) if name != "users")
    prefix = f"s{os.getpid()}-"

    def load(to: str) -> subprocess.CompletedProcess[str]:
        return in_guide(mariadb, tmp_path, f"cd '{tmp_path}'; dash 'a bag/restore.sh' --databases", prefix, to)

    done, again = load("out 1"), load("out 2")

    assert done.returncode == 0, done.stderr
    assert mariadb.rows(f"{prefix}{name}_restored") == mariadb.rows(portal)
    assert "To be loaded by hand, see RESTORE.en.md, section 3: portal-db/users" in done.stdout
    assert (again.returncode, "database exists" in again.stderr) == (1, True)
    mariadb.run(f"DROP DATABASE `{prefix}{name}_restored`")


def in_guide(server: Server, folder: Path, script: str, prefix: str, to: str = "") -> subprocess.CompletedProcess[str]:
    """Run the guide's own commands, whose client finds the server by the user's option file."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    (home / ".my.cnf").write_text(f"[client]\nsocket={server.socket}\n")
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "TO": to or str(folder / "out"),
        "KEY": "operator.age",
        "PREFIX": prefix,
        "SUFFIX": "_restored",
        "LC_ALL": "C.UTF-8",
    }
    return subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.heavy
def test_accounts_roles_and_grants_come_back(mariadb: Server, portal: str, tmp_path: Path, scratch: Path) -> None:
    mariadb.run(
        "CREATE OR REPLACE USER 'biên tập'@'10.%' IDENTIFIED BY 'mật khẩu';"
        "CREATE OR REPLACE ROLE editors;"
        f"GRANT SELECT, INSERT ON `{portal}`.article TO editors;"
        f"GRANT EXECUTE ON PROCEDURE `{portal}`.publish TO editors;"
        "GRANT editors TO 'biên tập'@'10.%';"
    )
    result, medium = run(mariadb, tmp_path, databases=[portal])
    users = streams(result)["users"]
    dump = restored(result, medium, tmp_path / "out") / "users.sql"

    trial = tried(users, dump, scratch)

    assert trial.problems == ()
    assert re.fullmatch(r"\d+ accounts, SHOW GRANTS", trial.asked)
    text = dump.read_text()
    assert "CREATE USER IF NOT EXISTS `biên tập`@`10.%` IDENTIFIED BY PASSWORD '*" in text
    assert f"GRANT SELECT, INSERT ON `{portal}`.`article` TO `editors`" in text
    assert "mật khẩu" not in text


@pytest.mark.heavy
def test_a_trial_names_every_table_that_differs(mariadb: Server, portal: str, tmp_path: Path, scratch: Path) -> None:
    result, medium = run(mariadb, tmp_path, databases=[portal], users=False)
    (stream,) = streams(result).values()
    dump = restored(result, medium, tmp_path / "out") / f"{stream.name}.sql"
    text, count = re.subn(r"\n(INSERT INTO `article` VALUES )?\(51,'',NULL.*?\)[,;]", "", dump.read_text())
    assert count == 1
    dump.write_text(text)
    more = replace(stream, rows=(*(rows for rows in stream.rows if rows.table != "log"), TableRows("gone", 0)))

    trial = tried(more, dump, scratch)

    assert sorted(trial.problems) == [
        "table article: 2 rows instead of 3",
        "table gone: it is not there",
        "table log: nobody knows how many rows it must have",
    ]


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda dump: dump.replace("(51,'',", "(50,'',"), "the server does not take it: ERROR "),
        (lambda dump: dump.split("\n", 2)[2], "the dump does not begin with"),
        (lambda dump: dump.replace("-- DATABASE", "\\! touch pwned\n-- DATABASE"), "the dump does not begin with"),
        (lambda dump: dump.replace("/*M!999999", f"\\! touch {PWNED}\n/*M!999999"), "does not take it"),
    ],
    ids=["twice", "head", "line-before", "shell"],
)
def test_a_trial_names_what_is_wrong_with_a_dump(
    mariadb: Server, portal: str, tmp_path: Path, scratch: Path, *, damage: Callable[[str], str], expected: str
) -> None:
    result, medium = run(mariadb, tmp_path, databases=[portal], users=False)
    (stream,) = streams(result).values()
    dump = restored(result, medium, tmp_path / "out") / f"{stream.name}.sql"
    text = dump.read_text()
    assert damage(text) != text
    dump.write_text(damage(text))

    trial = tried(stream, dump, scratch)

    assert any(expected in problem for problem in trial.problems), trial
    assert not PWNED.exists()
    assert not [line for line in servers() if str(scratch) in line]


def test_a_wrong_password_fails_without_being_shown(mariadb: Server, portal: str, tmp_path: Path) -> None:
    secret = "sai'#\"mật;khẩu\\"
    mariadb.run("CREATE OR REPLACE USER backup@localhost IDENTIFIED BY 'right'")
    (tmp_path / "password").write_text(secret)
    (tmp_path / "password").chmod(0o600)
    values = {"user": "backup", "password": {"file": "password"}, "databases": [portal]}

    result, medium = run(mariadb, tmp_path, **values)

    assert "mariadb ended with exit code 1: ERROR 1045 (28000): Access denied for user 'backup'@'localhost'" in why(
        result
    )
    assert secret not in why(result)
    assert medium.stored == {}


@pytest.mark.parametrize("password", ["right", "đ#\"'; \\n\\\\ [client]=x\t", " space at the ends "])
def test_any_password_reaches_the_server_by_a_private_file_alone(
    mariadb: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    text = password.replace("\\", "\\\\").replace("'", "\\'")
    mariadb.run(
        f"CREATE OR REPLACE DATABASE small; CREATE TABLE small.t (id INT);"
        f"CREATE OR REPLACE USER backup@localhost IDENTIFIED BY '{text}'; GRANT ALL ON *.* TO backup@localhost"
    )
    wrapper, seen = tmp_path / "mariadb-dump", tmp_path / "seen"
    wrapper.write_text(
        f'#!/bin/sh\necho "$@" >> {seen}\nfor each; do case $each in --defaults-file=*) stat -c %a%u "${{each#*=}}" >> {seen};;'
        ' esac; done\nexec /usr/bin/mariadb-dump "$@"\n'
    )
    wrapper.chmod(0o755)
    monkeypatch.setenv("PORTAL_DB_PASSWORD", password)

    result, _medium = run(
        mariadb,
        tmp_path,
        user="backup",
        password={"env": "PORTAL_DB_PASSWORD"},
        databases=["small"],
        program=str(wrapper),
        client="mariadb",
    )

    assert result.set is not None, result.failed_sources
    assert f"600{os.geteuid()}" in seen.read_text()
    assert password not in seen.read_text()
    options = re.search(r"--defaults-file=(\S+)", seen.read_text())
    assert options is not None
    assert not Path(options[1]).parent.exists()


def test_what_the_account_cannot_see_is_named(mariadb: Server, portal: str, tmp_path: Path) -> None:
    mariadb.run(
        f"CREATE OR REPLACE USER reader@localhost; GRANT SELECT, SHOW VIEW, EVENT ON `{portal}`.* TO reader@localhost"
    )

    result, _medium = run(mariadb, tmp_path, user="reader", databases=[portal], users=False)

    (stream,) = streams(result).values()
    assert result.set is not None and result.set.outcome is RunOutcome.INCOMPLETE
    assert stream.unread == (
        f"{portal}: triggers, if there are any: the account lacks TRIGGER on the database",
        f"{portal}: routines of others, if there are any: the account lacks SELECT on mysql.proc",
    )


def test_all_databases_but_the_servers_own_are_dumped(mariadb: Server, portal: str, tmp_path: Path) -> None:
    mariadb.run("CREATE OR REPLACE DATABASE `-- odd.name`; CREATE TABLE `-- odd.name`.`-t` (id INT)")

    result, _medium = run(mariadb, tmp_path)

    names = set(streams(result))
    assert {"users", "db-c-ng-1-60baeb94"} <= names
    assert any(name.startswith("db-odd-name-") for name in names)
    assert not any("mysql" in name or "schema" in name for name in names)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"databases": ["no-such"]}, "the account sees no database no-such"),
        ({"program": "/nonexistent/mariadb-dump", "client": "mariadb"}, "ended with exit code 127"),
        ({"minimum_bytes": 10_000_000}, "but at least 10000000 are expected"),
        ({"socket": "/nonexistent/socket"}, "exit code 1: ERROR 2002"),
    ],
)
def test_what_cannot_be_dumped_leaves_no_set(
    mariadb: Server, portal: str, tmp_path: Path, values: dict[str, object], expected: str
) -> None:
    result, medium = run(mariadb, tmp_path, **{"databases": [portal], **values})

    assert expected in why(result)
    assert medium.stored == {}


@contextmanager
def during_the_dump(server: Server, sql: str) -> Iterator[None]:
    """Hold a dump of `busy` at its first table, inside its snapshot, until some statements were run."""
    done: list[str] = []
    with server.held("busy.a_first") as let_go:

        def act() -> None:
            try:
                done.append(server.run(sql.replace("$DUMP", server.wait_for(WAITING)), database="busy"))
            finally:
                let_go()

        thread = threading.Thread(target=act)
        thread.start()
        yield
        thread.join()
    assert done


def busy(server: Server, engine: str) -> None:
    server.run(
        "CREATE OR REPLACE DATABASE busy; USE busy; CREATE TABLE a_first (id INT); INSERT INTO a_first VALUES (1);"
        f"CREATE TABLE z_last (id INT) ENGINE = {engine}; INSERT INTO z_last VALUES (1);"
    )


def test_a_table_altered_during_the_dump_fails_it(mariadb: Server, tmp_path: Path) -> None:
    busy(mariadb, "InnoDB")

    with during_the_dump(mariadb, "ALTER TABLE z_last ADD COLUMN more INT, ALGORITHM = COPY"):
        result, medium = run(mariadb, tmp_path, databases=["busy"], users=False)

    assert "mariadb-dump ended with exit code" in why(result)
    assert "1412" in why(result)
    assert "Table definition has changed" in why(result)
    assert medium.stored == {}


def test_a_dump_that_loses_its_server_fails(mariadb: Server, tmp_path: Path) -> None:
    busy(mariadb, "InnoDB")

    with during_the_dump(mariadb, "KILL $DUMP"):
        result, medium = run(mariadb, tmp_path, databases=["busy"], users=False)

    assert "mariadb-dump ended with exit code" in why(result)
    assert medium.stored == {}


def test_a_dump_is_one_moment_and_so_are_its_counts(mariadb: Server, tmp_path: Path) -> None:
    busy(mariadb, "InnoDB")

    with during_the_dump(mariadb, "INSERT INTO busy.z_last SELECT seq FROM seq_1_to_100"):
        result, medium = run(mariadb, tmp_path, databases=["busy"], users=False)

    (stream,) = streams(result).values()
    assert stream.rows == (TableRows("a_first", 1), TableRows("z_last", 1))
    assert (
        "(1);" in (restored(result, medium, tmp_path / "out") / "db-busy.sql").read_text().split("`z_last` VALUES")[1]
    )
    assert mariadb.run("SELECT COUNT(*) FROM busy.z_last") == "101\n"


@pytest.mark.parametrize("engine", ["MyISAM", "Aria"])
def test_a_table_without_transactions_that_changed_is_named(mariadb: Server, tmp_path: Path, engine: str) -> None:
    busy(mariadb, engine)

    with during_the_dump(mariadb, "INSERT INTO busy.z_last VALUES (2)"):
        result, _medium = run(mariadb, tmp_path, databases=["busy"], users=False)

    (stream,) = streams(result).values()
    assert result.set is not None and result.set.outcome is RunOutcome.INCOMPLETE
    assert stream.changed == (
        f"busy: table z_last ({engine}): it changed during the dump, and its engine has no snapshots",
    )


@pytest.mark.heavy
def test_a_silent_dump_is_given_up(mariadb: Server, tmp_path: Path) -> None:
    busy(mariadb, "InnoDB")

    with mariadb.held("busy.a_first"):
        result, medium = run(mariadb, tmp_path, databases=["busy"], users=False, idle_seconds=2)

    assert "mariadb-dump printed nothing for 2 s" in why(result)
    assert medium.stored == {}


def test_a_trial_that_cannot_run_here_says_nothing_of_the_dump(tmp_path: Path) -> None:
    class Bare:
        def run(
            self, argv: Sequence[str], *, stdin: bytes = b"", timeout_seconds: float = 60.0, limit_bytes: int = 8 << 20
        ) -> Completed:
            return Completed(
                0 if argv[0] in {"test", "mktemp", "rm", "cat"} else 127, b"", b"No such file or directory"
            )

    dump = tmp_path / "dump.sql"
    dump.write_bytes(b"-- CHARACTER SET utf8mb4 COLLATE utf8mb4_bin\n-- DATABASE x\n")
    stream = Stream("db", "mariadb", DataClass.CONTENT, "db-x", "mariadb-sql", 1, 1, Digest("0" * 64), ())

    with pytest.raises(BackupError, match="mariadb-install-db ended with exit code 127") as caught:
        format_of(stream).try_out(Restored(stream, dump, tmp_path, lambda: iter(()), Bare()))

    assert "Install mariadb-server" in str(caught.value.hint)


def test_a_dump_program_that_calls_itself_mysqls_is_counted_row_by_row_too(
    mariadb: Server, portal: str, tmp_path: Path
) -> None:
    """MySQL itself could not be had: its dump program is played by MariaDB's, without the options that only MySQL has."""
    program = tmp_path / "mysqldump"
    program.write_text(
        "#!/bin/bash\n"
        'case "$*" in *--version*) echo "mysqldump  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)"; exit;; esac\n'
        'exec /usr/bin/mariadb-dump "${@/--set-gtid-purged=OFF/--triggers}"\n'
    )
    program.chmod(0o755)
    # To MySQL a role is an account with a host; to MariaDB it is none.
    mariadb.run("DROP ROLE IF EXISTS editors")
    mariadb.run("CREATE OR REPLACE USER 'o''brien'@'%' IDENTIFIED BY 'x'; GRANT SELECT ON mysql.* TO 'o''brien'@'%'")

    result, medium = run(mariadb, tmp_path, databases=[portal], program=str(program), client="mariadb")

    found = streams(result)
    dump = next(name for name in found if name != "users")
    assert {stream.format for stream in found.values()} == {"mysql-sql"}
    assert {each.table: each.rows for each in found[dump].rows} == {**ROWS, "price": 2}
    assert found[dump].unread == (
        f"{portal}: table price: its history is not in the dump; a dump program of MariaDB 10.11 writes it",
    )
    users = (restored(result, medium, tmp_path / "out") / "users.sql").read_text().splitlines()
    assert users[-1] == "-- Dump completed"
    assert any(line.startswith("CREATE USER `o'brien`@`%` IDENTIFIED BY PASSWORD '*") for line in users)
    assert "GRANT SELECT ON `mysql`.* TO `o'brien`@`%`;" in users
    assert all(line.endswith(";") for line in users[:-1])


@pytest.mark.heavy
def test_a_drill_tries_out_databases_and_accounts_and_leaves_nothing(
    mariadb: Server, portal: str, tmp_path: Path, scratch: Path
) -> None:
    result, medium = run(mariadb, tmp_path, databases=[portal])
    assert result.set is not None
    made = SetEvidence(7, NOW, result.set, result.copies, ())

    found = run_drill(
        DrillTarget(made, made.copies[0], "person"),
        medium.open_set(result.set.id),
        find_base=lambda _content: (None, ()),
        identities=[keys().identity],
        keys=None,
        place=DrillPlace(scratch, NOBODY if os.geteuid() == 0 else "", unprivileged()),
        clock=FixedClock(NOW),
        progress=SilentProgress(),
    )

    assert (found.copies[0].state, found.copies[0].level, found.copies[0].problem) == (
        CopyState.VERIFIED,
        VerifyLevel.L4,
        "",
    )
    assert [each.stream for each in found.trials] == list(streams(result))
    assert list(scratch.iterdir()) == []
    assert not [line for line in servers() if str(scratch) in line]


@pytest.mark.heavy
def test_a_server_of_a_trial_is_stopped_whatever_happens(mariadb: Server, scratch: Path) -> None:
    if os.geteuid() == 0:
        shutil.chown(scratch, NOBODY)

    def interrupted() -> None:
        with throw_away(scratch, unprivileged()) as server:
            assert server.ask("SELECT @@skip_networking, @@event_scheduler, @@local_infile;") == [["1", "OFF", "0"]]
            assert [line for line in servers() if str(scratch) in line]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert not [line for line in servers() if str(scratch) in line]


def test_nothing_is_restored_into_the_data_folder_of_a_server(mariadb: Server) -> None:
    place = Path(mariadb.run("SELECT @@datadir").strip()) / "restored"

    with pytest.raises(UnsafeTarget, match="holds the data of MariaDB"):
        prepare_target(place)

    assert not place.exists()
