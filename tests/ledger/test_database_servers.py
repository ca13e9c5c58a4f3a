"""Databases that a ledger must not, or not so, be kept in: what is said, and that nothing is touched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from commands.cli.entry import run
from commands.doctor.diagnosis import DiagnosticState
from commands.doctor.diagnostics.database import seen_of
from portalops import bodies
from portalops.errors import LedgerError
from portalops.ledger.claimant import MachineClaimant
from portalops.ledger.heads import record_head
from portalops.ledger.ledger import Ledger
from portalops.ledger.pending_claims import count_awaited
from portalops.ledger.postgresql_kept import kept_in
from portalops.ledger.postgresql_server import ServerState, read_server
from portalops.ledger.postgresql_store import PostgresqlStore
from portalops.ledger.postgresql_tables import PRUNER, READER, WRITER, script
from portalops.ledger.record import NO_RUN
from portalops.ledger.record_stores.postgresql import Settings, parameters
from portalops.ledger.verify import verify
from portalops.model.heads import Erasure
from portalops.model.record import RunId
from tests.backups.postgresql.parts import PORT, Server, versions
from tests.doubles import FixedClock
from tests.ledger.bundle.bundles import key_of
from tests.ledger.ledgers import ANY_TIME, ZONE

AT = datetime(2026, 11, 26, 3, tzinfo=UTC)
FIT = ServerState(
    version=150004,
    fsync=True,
    full_page_writes=True,
    synchronous_commit="on",
    is_standby=False,
    now=AT,
    account="portalops-web1",
    free_connections=60,
    has_amcheck=True,
    is_guarded=True,
    excess=(),
)
TOML = """
[portal]
id = "demo"
name = {{ vi = "Cổng ví dụ", en = "Example portal" }}
timezone = "Asia/Ho_Chi_Minh"
rulebook = "kh-37-2010"
[state]
folder = "state"
[ledger.store]
kind = "postgresql"
host = "{folder}"
database = "postgres"
user = "{user}"
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server.new(versions()[-1]) as started:
        started.sql(script())
        for account, role in (("web1", WRITER), ("auditor", READER), ("pruner", PRUNER), ("owning", WRITER)):
            started.sql(f"CREATE ROLE {account} LOGIN PASSWORD 'x' IN ROLE {role}")
        yield started


def connected(server: Server, account: str, database: str = "postgres") -> psycopg.Connection:
    return psycopg.connect(
        f"host={server.folder} port={PORT} user={account} password=x dbname={database}", autocommit=True
    )


def store_in(server: Server, database: str, account: str = "postgres") -> PostgresqlStore:
    return PostgresqlStore(lambda: connected(server, account, database), database, writable=True)


def excess(server: Server, account: str) -> tuple[str, ...]:
    with connected(server, account) as connection:
        return read_server(connection).excess


def test_who_reads_appends_or_prunes_has_no_right_too_many(server: Server) -> None:
    assert [excess(server, each) for each in ("web1", "auditor", "pruner")] == [(), (), ()]


@pytest.mark.parametrize(
    ("grant", "revoke", "expected"),
    [
        ("GRANT UPDATE ON portalops.record TO web1", "REVOKE UPDATE ON portalops.record FROM web1", ("UPDATE",)),
        ("GRANT DELETE ON portalops.blob TO web1", "REVOKE DELETE ON portalops.blob FROM web1", ("DELETE",)),
        ("GRANT UPDATE (size) ON portalops.tail TO web1", "REVOKE UPDATE (size) ON portalops.tail FROM web1", ("UPDATE",)),
        ("GRANT CREATE ON SCHEMA portalops TO web1", "REVOKE CREATE ON SCHEMA portalops FROM web1", ("CREATE",)),
        ("CREATE ROLE between NOINHERIT IN ROLE postgres; GRANT between TO web1", "DROP ROLE between", ("owner",)),
        ("ALTER ROLE web1 SUPERUSER", "ALTER ROLE web1 NOSUPERUSER", ("superuser",)),
        ("GRANT postgres TO web1", "REVOKE postgres FROM web1", ("owner", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER")),
    ],
)  # fmt: skip
def test_each_right_to_change_records_is_seen(
    server: Server, grant: str, revoke: str, expected: tuple[str, ...]
) -> None:
    server.sql(grant)
    try:
        assert excess(server, "web1") == expected
    finally:
        server.sql(revoke)


def test_run_and_verify_warn_of_an_account_that_could_change_records(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "portalops.toml").write_text(TOML.format(folder=server.folder, user="postgres"), encoding="utf-8")
    for command in (("run",), ("ledger", "verify")):
        run(["--config", str(tmp_path / "portalops.toml"), "--lang", "en", *command], {})
        assert "account postgres could change or delete records: superuser" in " ".join(capsys.readouterr().err.split())

    code = run(
        ["--config", str(tmp_path / "portalops.toml"), "--lang", "en", "doctor", "--deep", "--only", "database"], {}
    )
    told = capsys.readouterr().out
    assert code == 1, "the tests' server runs without fsync"
    assert "superuser" in told and "fsync off" in told


def test_tables_of_a_later_version_are_left_as_they_are(server: Server) -> None:
    server.sql("CREATE DATABASE later")
    server.sql(f"{script()}\nUPDATE portalops.about SET format = 3;", "later")

    with pytest.raises(LedgerError, match="of version 3, not 2") as refusal:
        Ledger.open(
            server.folder / "none",
            FixedClock(AT),
            create=True,
            kept=kept_in(lambda: connected(server, "postgres", "later"), "later", writable=True),
        )

    assert "newer" in str(refusal.value.hint)
    assert server.sql("SELECT count(*) FROM portalops.record", "later") == "0"
    assert not store_in(server, "later").prepare()


def test_a_database_of_another_encoding_is_not_prepared(server: Server) -> None:
    server.sql("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")

    with pytest.raises(LedgerError, match="cannot hold a ledger: its encoding is LATIN1") as refusal:
        store_in(server, "latin").prepare()

    assert "createdb --encoding=UTF8" in str(refusal.value.hint)
    assert server.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'portalops'", "latin") == "0"


def test_records_are_refused_to_who_only_reads_and_nothing_is_left(server: Server) -> None:
    kept = kept_in(lambda: connected(server, "auditor"), "db", writable=True)

    with pytest.raises(LedgerError, match="this account has no right") as refusal:
        Ledger(server.folder / "none", FixedClock(AT), writable=True, kept=kept).append(
            "note", run=RunId(NO_RUN), body=b"{}"
        )

    assert WRITER in str(refusal.value.hint)


def test_a_killed_command_of_a_team_is_claimed_by_the_next_one_of_its_machine(server: Server, tmp_path: Path) -> None:
    server.sql("CREATE DATABASE claims")
    store_in(server, "claims").prepare()
    server.sql(ANY_TIME, "claims")
    clock = FixedClock(AT)

    def opened() -> Ledger:
        kept = kept_in(lambda: connected(server, "postgres", "claims"), "claims", writable=True)
        ledger = Ledger.open(tmp_path, clock, create=True, kept=kept)
        ledger.claimant = MachineClaimant(tmp_path, clock, "web1", enrols=True)
        return ledger

    killed = opened()
    record_head(killed, key_of(1), clock)
    record = killed.append("backup.started", run=RunId("a"), body=b"{}")
    assert isinstance(killed.claimant, MachineClaimant)
    killed.claimant.close()
    clock.move(timedelta(hours=2))
    following = opened()
    following.claim()

    found = verify(following, now=clock.now(), zone=ZONE).integrity
    assert (found.holds, found.unclaimed) == (True, ())
    owner = found.ownership.owner(record.seq)
    assert owner is not None
    assert owner.name == "web1"
    assert count_awaited(following, now=clock.now()) == 0


def test_an_erasure_in_a_database_counts_once_it_is_claimed(server: Server, tmp_path: Path) -> None:
    server.sql("CREATE DATABASE erasures")
    store_in(server, "erasures").prepare()
    server.sql(ANY_TIME, "erasures")
    clock = FixedClock(AT)
    kept = kept_in(lambda: connected(server, "postgres", "erasures"), "erasures", writable=True)
    ledger = Ledger.open(tmp_path, clock, create=True, kept=kept)
    ledger.claimant = MachineClaimant(tmp_path, clock, "web1", enrols=True)
    record_head(ledger, key_of(1), clock)
    note = ledger.append("note", run=NO_RUN, body=bodies.write({"note": "personal"}))
    ledger.claim()
    erasure = bodies.write({"erased": Erasure(note.body, "x", "x")})
    Ledger.open(tmp_path, clock, create=True, kept=kept).append(
        "blob.erased", run=NO_RUN, subject=note.body, body=erasure
    )
    ledger.remove_blob(note.body)

    forged = verify(ledger, now=clock.now(), zone=ZONE)
    ledger.append("blob.erased", run=NO_RUN, subject=note.body, body=erasure)
    ledger.claim()
    honest = verify(ledger, now=clock.now(), zone=ZONE)

    assert (forged.integrity.first_bad, forged.completeness.erased) == (note.seq, ())
    assert honest.integrity.holds
    assert [each.erasure.digest for each in honest.completeness.erased] == [note.body]


def test_an_append_that_waited_sees_what_was_recorded_meanwhile_whatever_the_account_sets(server: Server) -> None:
    settings = Settings(host=str(server.folder), port=PORT, database="postgres", user="web1")
    server.sql("ALTER ROLE web1 SET default_transaction_isolation = 'repeatable read'")
    try:
        with psycopg.connect(**{**parameters(settings, {}), "password": "x"}) as connection:
            assert connection.execute("SHOW transaction_isolation").fetchone() == ("read committed",)
    finally:
        server.sql("ALTER ROLE web1 RESET default_transaction_isolation")


def states(state: ServerState, apart: float = 0) -> dict[str, DiagnosticState]:
    return {each.about: each.state for each in seen_of(state, timedelta(seconds=apart))}


def test_a_fit_server_is_good_in_all(server: Server) -> None:
    assert set(states(FIT).values()) == {DiagnosticState.GOOD}
    with connected(server, "web1") as connection:
        assert read_server(connection).is_guarded


@pytest.mark.parametrize(
    ("about", "state", "expected"),
    [
        ("version", replace(FIT, version=120022), DiagnosticState.BAD),
        ("rights", replace(FIT, excess=("UPDATE",)), DiagnosticState.WARNING),
        ("guards", replace(FIT, is_guarded=False), DiagnosticState.BAD),
        ("durable", replace(FIT, fsync=False), DiagnosticState.BAD),
        ("durable", replace(FIT, full_page_writes=False), DiagnosticState.BAD),
        ("durable", replace(FIT, synchronous_commit="off"), DiagnosticState.BAD),
        ("standby", replace(FIT, is_standby=True), DiagnosticState.BAD),
        ("amcheck", replace(FIT, has_amcheck=False), DiagnosticState.WARNING),
        ("connections", replace(FIT, free_connections=3), DiagnosticState.NOTE),
    ],
)
def test_what_is_not_fit_is_told(about: str, state: ServerState, expected: DiagnosticState) -> None:
    assert states(state)[about] is expected


def test_clocks_that_are_apart_are_told() -> None:
    assert "clock" not in states(FIT, apart=4)
    assert states(FIT, apart=6)["clock"] is DiagnosticState.WARNING


def test_guards_that_were_switched_off_are_seen(server: Server) -> None:
    server.sql("ALTER TABLE portalops.record DISABLE TRIGGER record_kept")
    try:
        with connected(server, "auditor") as connection:
            assert not read_server(connection).is_guarded
    finally:
        server.sql("ALTER TABLE portalops.record ENABLE TRIGGER record_kept")
