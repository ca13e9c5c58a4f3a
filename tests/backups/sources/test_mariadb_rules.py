"""What a dump of MariaDB or MySQL needs, without a server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from backups.formats import ldif
from backups.formats._mariadbd import ThrowAway
from backups.formats._sql_head import DatabaseHead, head_of, read_head
from backups.sources._mariadb import (
    Flavour,
    MariadbTable,
    doubts,
    dump_command,
    flavour_of,
    missing_rights,
    option_file,
    stream_name,
)
from backups.sources._sql_rows import RowCounter
from portalops.errors import BackupError
from portalops.ports import Completed

# As the programs print it: Debian 13, Debian 12, MySQL 8.0 (the last from its manual).
NEW = "mariadb-dump from 11.8.9-MariaDB, client 10.20 for debian-linux-gnu (x86_64)\n"
OLD = "mysqldump  Ver 10.19 Distrib 10.11.6-MariaDB, for debian-linux-gnu (x86_64)\n"
MYSQL = "mysqldump  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)\n"

DUMP = b"""\
-- CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
-- DATABASE portal
CREATE TABLE `a` (
  `id` int(11) DEFAULT NULL
) ENGINE=InnoDB
 PARTITION BY RANGE (`id`)
(PARTITION `p0` VALUES LESS THAN (10) ENGINE = InnoDB);
LOCK TABLES `a` WRITE;
/*!40000 ALTER TABLE `a` DISABLE KEYS */;
INSERT INTO `a` VALUES
(1,'x\\n(1),(2)'),
(2,'INSERT INTO `a` VALUES (9)');
INSERT INTO `a` VALUES
(3,NULL);
/*!40000 ALTER TABLE `a` ENABLE KEYS */;
DELIMITER ;;
/*!50003 CREATE*/ /*!50003 TRIGGER tr BEFORE INSERT ON a FOR EACH ROW BEGIN INSERT INTO `a` VALUES
(1,2);
CREATE TABLE `no` (
END */;;
DELIMITER ;
CREATE TABLE `b ``1` (
  `id` int(11)
);
INSERT INTO `b ``1` (`id`, row_start, row_end) VALUES (2,'a','b'),
(1,'a','b');
CREATE TABLE `one` (
  `id` int(11)
);
INSERT INTO `one` VALUES (1);
INSERT INTO `one` VALUES (2);
CREATE TABLE `none` (
  `id` int(11)
);
/*!50001 VIEW `w2` AS select 'a' AS `x` */;
(not a row)
-- Dump completed
"""


@pytest.mark.parametrize("step", [1, 2, 5, 64, 1 << 16])
def test_rows_are_counted_in_the_dump_itself(step: int) -> None:
    counter = RowCounter()

    for at in range(0, len(DUMP), step):
        counter.take(DUMP[at : at + step])

    assert counter.rows == {"a": 3, "b `1": 2, "one": 2, "none": 0}


def test_a_row_of_many_megabytes_is_one_row() -> None:
    counter = RowCounter()
    counter.take(b"INSERT INTO `a` VALUES\n(1,0x")

    for _piece in range(64):
        counter.take(b"00ff" * 16384)
    counter.take(b"),\n(2,NULL);\n/*!40000 ALTER TABLE `a` ENABLE KEYS */;\n(3)\n")

    assert counter.rows == {"a": 2}


@pytest.mark.parametrize(
    ("banner", "flavour", "more"),
    [
        (NEW, Flavour((11, 8)), []),
        (OLD, Flavour((10, 11)), ["--skip-extended-insert"]),
        (MYSQL, Flavour(None), ["--set-gtid-purged=OFF", "--skip-extended-insert"]),
    ],
)
def test_each_dump_program_gets_the_options_that_it_knows(banner: str, flavour: Flavour, more: list[str]) -> None:
    assert flavour_of(banner) == flavour
    assert flavour.format == ("mysql-sql" if flavour.mariadb is None else "mariadb-sql")

    argv = dump_command("p", ("--defaults-file=/o",), flavour, "-x")

    assert argv[:2] == ("p", "--defaults-file=/o")
    assert argv[-2:] == ("--", "-x")
    assert {"--single-transaction", "--routines", "--events", "--triggers", "--hex-blob", "--skip-lock-tables"} < set(
        argv
    )
    assert [each for each in argv if each in {"--set-gtid-purged=OFF", "--skip-extended-insert"}] == more
    assert not any("databases" in each for each in argv)


ALL = "GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` IDENTIFIED VIA unix_socket WITH GRANT OPTION"
RIGHTS = "SELECT, SHOW VIEW, EVENT, TRIGGER"


@pytest.mark.parametrize(
    ("grants", "lacks"),
    [
        ([ALL], []),
        ([f"GRANT {RIGHTS} ON *.* TO `b`@`%`"], []),
        (["GRANT ALL PRIVILEGES ON `my\\_db`.* TO `b`@`%`"], []),
        ([f"GRANT {RIGHTS} ON `my%`.* TO `b`@`%`", "GRANT SELECT ON `mysql`.`proc` TO `b`@`%`"], []),
        ([f"GRANT {RIGHTS} ON `my%`.* TO `b`@`%`"], ["routines"]),
        ([f"GRANT {RIGHTS}, SHOW CREATE ROUTINE ON `my_db`.* TO `b`@`%`"], []),
        ([f"GRANT {RIGHTS} ON `other`.* TO `b`@`%`"], ["tables", "views", "triggers", "events", "routines"]),
        (["GRANT SELECT ON `my_db`.`one` TO `b`@`%`"], ["tables", "views", "triggers", "events", "routines"]),
        (["GRANT USAGE ON *.* TO `b`@`%`"], ["tables", "views", "triggers", "events", "routines"]),
        (["GRANT SELECT ON *.* TO `b`@`%`"], ["views", "triggers", "events"]),
    ],
)
def test_rights_that_an_account_lacks_are_named(grants: list[str], lacks: list[str]) -> None:
    found = missing_rights(grants, "my_db", Flavour((11, 8)))

    assert [line.partition(" ")[0].strip(",") for line in found] == lacks


def test_rights_of_mysql_have_their_own_names() -> None:
    (line,) = missing_rights([f"GRANT {RIGHTS} ON `my_db`.* TO `b`@`%`"], "my_db", Flavour(None))

    assert line.endswith("lacks SHOW_ROUTINE")


def test_values_of_an_option_file_stay_values() -> None:
    assert option_file({"user": "a", "password": 'x"\\\n[mysqldump]\nno-data', "port": 3306, "host": None}) == (
        b'[client]\nuser="a"\npassword="x\\"\\\\\\n[mysqldump]\\nno-data"\nport="3306"\n'
    )


def test_names_of_streams_differ_as_the_databases_do() -> None:
    names = [stream_name(each) for each in ("portal", "Portal", "a_b", "a-b", "cổng", "!", "!!", "x" * 90)]

    assert names[0] == "db-portal"
    assert len(set(names)) == len(names)
    assert all(name.replace("-", "").isascii() and name.replace("-", "").isalnum() for name in names)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"m": "1"}, {"m": "1"}, []),
        ({"m": "1"}, {"m": "2"}, ["table m (MyISAM): it changed during the dump, and its engine has no snapshots"]),
        ({"m": "1"}, {"m": None}, ["table m (MyISAM): whether it changed during the dump is not known"]),
        ({"m": None}, {"m": None}, ["table m (MyISAM): whether it changed during the dump is not known"]),
        ({"m": "1"}, {}, ["table m (MyISAM): whether it changed during the dump is not known"]),
        ({}, {}, []),
    ],
)
def test_a_table_without_snapshot_must_be_seen_unchanged(
    before: dict[str, str | None], after: dict[str, str | None], expected: list[str]
) -> None:
    tables = [MariadbTable("m", "BASE TABLE", "MyISAM", is_transactional=False)]

    assert list(doubts(tables, before, after)) == expected


@pytest.mark.parametrize("name", ["portal", "cổng 'một'", "`; DROP", "CHARACTER SET utf8 COLLATE x; --"])
def test_the_head_of_a_dump_is_read_as_it_was_written(name: str) -> None:
    head = head_of(name, "utf8mb4", "utf8mb4_bin")

    assert head is not None
    assert read_head(head + b"-- MariaDB dump") == DatabaseHead(name, "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")


@pytest.mark.parametrize(
    ("name", "charset"), [("a\nb", "utf8mb4"), ("a\x1bb", "utf8mb4"), ("a", "utf8mb4; DROP"), ("a", "")]
)
def test_a_head_that_could_be_read_otherwise_is_not_written(name: str, charset: str) -> None:
    assert head_of(name, charset, "utf8mb4_bin") is None


class Stopping:
    """A runner whose programs are all stopped before their end."""

    def __init__(self, done: Completed) -> None:
        self._done = done

    def run(
        self, argv: Sequence[str], *, stdin: bytes = b"", timeout_seconds: float = 60.0, limit_bytes: int = 8 << 20
    ) -> Completed:
        del argv, stdin, timeout_seconds, limit_bytes
        return self._done


@pytest.mark.parametrize(
    ("done", "said"),
    [
        (Completed(124, b"", b""), "it did not end in time"),
        (Completed(-9, b"", b""), "exit code -9"),
        (Completed(-9, b"", b"", truncated=True), "exit code -9"),
    ],
)
def test_a_trial_that_was_stopped_says_nothing_of_the_dump(done: Completed, said: str) -> None:
    with pytest.raises(BackupError, match=said):
        ThrowAway(Stopping(done), "socket").load(Path("users.sql"), database=None, goes_on=True)
    with pytest.raises(BackupError, match=said):
        ldif._slap(Stopping(done), "slapadd", ())
