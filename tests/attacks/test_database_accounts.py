"""What a stolen account of a ledger's database can do: as each of the roles, with its own SQL."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portalops import bodies
from portalops.errors import ClockWentBack, IntegrityError, LedgerError, Locked
from portalops.ledger.blobs import packed
from portalops.ledger.claimant import draft_claim, record_writer
from portalops.ledger.heads import record_head
from portalops.ledger.heeded import HeedfulLedger, numbers_mistimed, numbers_set_aside, read_ownership
from portalops.ledger.ledger import KeptLedger, Ledger
from portalops.ledger.postgresql_kept import kept_in
from portalops.ledger.postgresql_store import PostgresqlStore
from portalops.ledger.postgresql_tables import PRUNER, READER, WRITER, script
from portalops.ledger.quarantine_text import text_of
from portalops.ledger.record import GENESIS, NO_RUN, Draft, encode, line_digest
from portalops.ledger.selection import Selection
from portalops.model.heads import Erasure, KeyEvent
from portalops.model.quarantines import Quarantine
from portalops.model.record import Digest
from portalops.model.writers import Authority, LineRange, WriterEvent, WriterState
from portalops.registers.erasures import ERASED
from portalops.registers.signers import KEY_RETIRED
from portalops.registers.writers import QUARANTINED
from portalops.signatures.sshsig import SigningKey, sign
from portalops.system.clock import SystemClock
from tests.backups.postgresql.parts import PORT, Server, versions
from tests.conformance.claims import PERSON
from tests.conformance.clocks import go_on, mend, run_ahead
from tests.conformance.quarantines import NAMESPACE, SECOND
from tests.doubles import FixedClock
from tests.ledger.bundle.bundles import Written
from tests.ledger.ledgers import take, verified

AT = datetime(2026, 11, 26, 3, tzinfo=UTC)
KEY = SigningKey.of(Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32))
SECRET = "mật khẩu ở phòng một cửa".encode()
"""Details that somebody wants to keep out of the ledger."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server.new(versions()[-1]) as started:
        for role in (READER, WRITER, PRUNER):
            started.sql(f"CREATE ROLE {role} NOLOGIN; CREATE ROLE of_{role} LOGIN PASSWORD 'x' IN ROLE {role}")
        yield started


class Site:
    """One database, and the ledger in it as each account has it."""

    def __init__(self, server: Server, name: str, folder: Path) -> None:
        self.server, self.name, self.folder = server, name, folder
        self.opened: list[KeptLedger] = []

    def connect(self, role: str) -> psycopg.Connection:
        account = role if role == "postgres" else f"of_{role}"
        return psycopg.connect(
            f"host={self.server.folder} port={PORT} user={account} password=x dbname={self.name}"
            " options='-c lock_timeout=500ms'",
            autocommit=True,
        )

    def kept(self, role: str) -> KeptLedger:
        self.opened.append(kept_in(lambda: self.connect(role), self.name, writable=role != READER))
        return self.opened[-1]

    def ledger(self, role: str = WRITER, at: datetime = AT) -> Ledger:
        return Ledger.open(self.folder, FixedClock(at), create=role == WRITER, kept=self.kept(role))

    def sql(self, script: str) -> str:
        return self.server.sql(script, self.name)


@pytest.fixture
def make_site(server: Server, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Site]]:
    made: list[Site] = []

    def make(made_by: str) -> Site:
        name = f"a{hashlib.sha256(request.node.name.encode()).hexdigest()[:16]}"
        server.sql(f"CREATE DATABASE {name}")
        server.sql(made_by, name)
        made.append(Site(server, name, tmp_path))
        return made[-1]

    yield make
    for kept in (kept for each in made for kept in each.opened):
        kept.records.close()


@pytest.fixture
def site(make_site: Callable[[str], Site]) -> Site:
    return make_site(script())


def test_details_of_another_digest_are_refused_so_the_honest_ones_find_their_place_free(site: Site) -> None:
    digest = hashlib.sha256(SECRET).hexdigest()
    with site.connect(WRITER) as thief, pytest.raises(psycopg.Error, match="do not have the digest"):
        thief.execute("SELECT portalops.keep(%s, %s)", (digest, packed(b"something else")))

    ledger = site.ledger()

    assert ledger.blob(ledger.keep(SECRET)) == SECRET


def test_details_that_do_not_fit_are_replaced_by_the_honest_ones(site: Site) -> None:
    ledger = site.ledger()
    digest = hashlib.sha256(SECRET).hexdigest()
    site.sql(f"INSERT INTO portalops.blob VALUES ('{digest}', '\\x{packed(b'else').hex()}')")  # as version 1 let it in

    ledger.keep(SECRET)

    assert ledger.blob(Digest(digest)) == SECRET


def test_a_database_that_does_not_give_details_back_is_named(site: Site) -> None:
    ledger = site.ledger()
    site.sql(
        "CREATE FUNCTION public.lose() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;"
        " CREATE TRIGGER lost BEFORE INSERT ON portalops.blob FOR EACH ROW EXECUTE FUNCTION public.lose()"
    )
    with pytest.raises(IntegrityError, match="is missing"):
        ledger.keep(SECRET)


def test_no_lock_that_a_reader_takes_delays_an_append_or_a_job(site: Site) -> None:
    ledger = site.ledger()
    with site.connect(READER) as thief:
        held = ledger.locks.held("heads", holder="run 1")
        with held:
            keys = thief.execute(
                "SELECT classid::bigint << 32 | objid::bigint FROM pg_locks WHERE locktype = 'advisory'"
            )
            taken = [key for (key,) in keys.fetchall()]
        for key in (*taken, 0x504F4C47):
            thief.execute("SELECT pg_advisory_lock(%s)", (key,))
        thief.execute("BEGIN")
        for table in ("record", "tail", "lock", "blob", "about"):
            thief.execute(f"LOCK TABLE portalops.{table} IN ACCESS SHARE MODE")
            thief.execute(f"SELECT * FROM portalops.{table}")

        with ledger.locks.held("heads", holder="run 2"):
            record = ledger.append("note", run=NO_RUN, body=b"{}\n")

    assert record.seq == 2


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT portalops.hold_tail()",
        "SELECT portalops.take_lock('heads', 'me', 1)",
        "SELECT 1 FROM portalops.tail FOR SHARE",
        "SELECT 1 FROM portalops.lock FOR KEY SHARE",
        "LOCK TABLE portalops.record IN SHARE MODE",
    ],
)
def test_a_reader_has_no_lock_that_others_wait_for(site: Site, statement: str) -> None:
    with (
        site.connect(READER) as thief,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        thief.transaction(),
    ):
        thief.execute(statement)


def test_a_reader_s_work_waits_for_a_lock_and_keeps_nobody_from_it(site: Site) -> None:
    writer, reader = site.ledger(), site.ledger(READER)
    with writer.locks.held("media", holder="run 1"):
        assert reader.locks.is_held_by("media", "run 1")
        with pytest.raises(Locked, match="held by run 1"), reader.locks.held_to_read("media", holder="auditor"):
            pass
    with reader.locks.held_to_read("media", holder="auditor"), writer.locks.held("media", holder="run 2"):
        pass


def test_two_owners_who_prepare_at_once_make_the_tables_once(make_site: Callable[[str], Site]) -> None:
    site = make_site("")
    owned = [site.kept("postgres").records for _each in range(2)]
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda each: cast("PostgresqlStore", each).prepare(), owned))
    assert sorted(made) == [False, True]


def test_a_retirement_that_a_stolen_account_appends_takes_no_right_from_the_key(site: Site) -> None:
    ledger = site.ledger()
    record_head(ledger, KEY, FixedClock(AT))
    body = bodies.write({"key": KeyEvent(KEY.public_key, "a year is over")})
    digest = Digest(hashlib.sha256(body).hexdigest())
    last = ledger.last()
    assert last is not None
    line = encode(Draft(KEY_RETIRED, digest), seq=last.seq + 1, at=AT, prev=line_digest(last.line)).line.decode()
    with site.connect(WRITER) as thief:
        thief.execute("SELECT portalops.keep(%s, %s)", (digest, body))
        thief.execute("SELECT portalops.append(%s, %s)", (last.seq + 1, [line]))

    head = record_head(ledger, KEY, FixedClock(AT))

    assert head.head.size == last.seq + 1
    found = verified(ledger).integrity
    assert [fault.seq for fault in found.faults] == [last.seq + 1] and found.signed.newest is not None
    assert found.signed.newest.seq == head.seq


def test_the_pruner_removes_only_what_a_record_says_was_erased(site: Site) -> None:
    ledger, pruner = site.ledger(), site.kept(PRUNER).blobs
    secret = ledger.keep(SECRET)
    other = ledger.append("note", run=NO_RUN, body=b'{"note":1}\n').body
    protected = ledger.last()
    first = ledger.first()
    assert protected is not None and first is not None

    for digest in (secret, other):
        with pytest.raises(LedgerError, match="no record says that"):
            pruner.remove(digest)
    for digest in (secret, first.body):
        erasure = Erasure(digest, "a citizen asked for it", "Nguyễn Văn An")
        ledger.append(ERASED, run=NO_RUN, subject=digest, body=bodies.write({"erased": erasure}))
    with pytest.raises(LedgerError, match="never erased"):
        pruner.remove(first.body)
    pruner.remove(secret)

    assert not ledger.has_blob(secret) and ledger.has_blob(first.body)


def test_an_erasure_of_other_details_under_this_subject_removes_nothing(site: Site) -> None:
    ledger, pruner = site.ledger(), site.kept(PRUNER).blobs
    secret, decoy = ledger.keep(SECRET), ledger.keep(b"decoy")
    body = bodies.write({"erased": Erasure(decoy, "none", "nobody")})
    ledger.append(ERASED, run=NO_RUN, subject=secret, body=body)

    with pytest.raises(LedgerError, match="no record says"):
        pruner.remove(secret)


def test_evidence_of_a_protected_record_is_never_removed(site: Site) -> None:
    ledger, pruner = site.ledger(), site.kept(PRUNER).blobs
    secret = ledger.keep(SECRET)
    ledger.append("plan", run=NO_RUN, body=bodies.write({"plan": {"evidence": [secret]}}))
    body = bodies.write({"erased": Erasure(secret, "none", "nobody")})
    ledger.append(ERASED, run=NO_RUN, subject=secret, body=body)

    with pytest.raises(LedgerError, match="never erased"):
        pruner.remove(secret)


def test_what_a_strangers_record_names_is_removed_by_the_owner_of_the_tables_alone(site: Site) -> None:
    ledger = site.ledger()
    secret = ledger.keep(SECRET)
    ledger.append_many([Draft("plan", secret)])
    remove = f"SELECT portalops.remove('{secret}');"
    with site.connect("postgres") as owner, pytest.raises(psycopg.Error, match="no record says"):
        owner.execute(remove)
    erasure = Erasure(secret, "a citizen asked for it", "Nguyễn Văn An")
    ledger.append(ERASED, run=NO_RUN, subject=secret, body=bodies.write({"erased": erasure}))
    site.sql(f"GRANT {PRUNER} TO of_{WRITER}")
    try:
        with pytest.raises(LedgerError, match="never erased") as refused:
            ledger.remove_blob(secret)
    finally:
        site.sql(f"REVOKE {PRUNER} FROM of_{WRITER}")
    assert remove in str(refused.value.hint)

    with site.connect("postgres") as owner:
        owner.execute(remove)

    assert not ledger.has_blob(secret)


def test_who_may_append_and_not_remove_is_told_the_role_that_may(site: Site) -> None:
    ledger = site.ledger()
    secret = ledger.keep(SECRET)

    with pytest.raises(LedgerError, match="this account has no right") as refused:
        ledger.remove_blob(secret)

    assert PRUNER in str(refused.value.hint)
    assert ledger.has_blob(secret)


def line_after(ledger: Ledger, *, at: datetime = AT, subject: str = "x", kind: str = "note") -> str:
    last = ledger.last()
    assert last is not None
    draft = Draft(kind, Digest("a" * 64), subject=subject)
    return encode(draft, seq=last.seq + 1, at=at, prev=line_digest(last.line)).line.decode()


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (lambda line: line.replace('"subject"', ' "subject"'), "format"),
        (lambda line: line.replace('"v":1}', '"v":1,"w":2}'), "format"),
        (lambda line: line.replace('"v":1}', '"v":1}\n'), "format"),
        (lambda line: line.replace('"x"', '"\\u0078"'), "format"),
        (lambda line: line.replace('"x"', '"\x7f"'), "format"),
        (lambda line: line.replace('"x"', f'"{"x" * 501}"'), "too long"),
        (lambda line: line.replace('"x"', '"e\u0301"'), "NFC"),
        (lambda line: line.replace('"kind":"note"', '"kind":"Note"'), "format"),
        (lambda line: line.replace('"kind":"note"', '"kind":"ledger.created"'), "only record 1 has"),
        (lambda line: line.replace("2026-11-26T03", "2026-11-31T03"), "does not exist"),
        (lambda line: line.replace("2026-11-26T03", "2026-11-26T24"), "format"),
        (lambda line: line.replace("2026-11-26T03", "9999-11-26T03"), "does not exist"),
        (lambda line: line.replace("2026-11-26T03", "2026-11-26T02"), "earlier than the record before"),
        (lambda line: line.replace("2026-11-26T03", "9998-11-26T03"), "ahead of the server's clock"),
        (lambda line: line.replace('"seq":2', '"seq":02'), "format"),
        (lambda line: line.replace('"seq":2', '"seq":3'), "does not follow"),
        (lambda line: "{}", "format"),
        (lambda line: "no record", "format"),
    ],
)  # fmt: skip
def test_a_line_that_portalops_would_not_write_is_refused(
    site: Site, change: Callable[[str], str], refusal: str
) -> None:
    ledger = site.ledger()
    with site.connect(WRITER) as thief, pytest.raises(psycopg.Error, match=refusal):
        thief.execute("SELECT portalops.append(2, %s)", ([change(line_after(ledger))],))

    assert ledger.append("note", run=NO_RUN, body=b"{}\n").seq == 2
    assert verified(ledger).integrity.holds


@pytest.mark.parametrize("subject", ["", "Sở Y tế Khánh Hòa", 'a "b" \\ c', "đ" * 500, "\U0001f600"])
def test_every_line_that_portalops_writes_is_taken(site: Site, subject: str) -> None:
    ledger = site.ledger()
    with site.connect(WRITER) as account:
        account.execute("SELECT portalops.append(2, %s)", ([line_after(ledger, subject=subject)],))
    last = ledger.last()
    assert last is not None and last.subject == subject


def test_a_time_of_tomorrow_is_refused_and_one_of_this_minute_is_not(site: Site) -> None:
    now = SystemClock().now()
    ledger = site.ledger(at=now)
    with site.connect(WRITER) as thief, pytest.raises(psycopg.Error, match="ahead"):
        thief.execute("SELECT portalops.append(2, %s)", ([line_after(ledger, at=now + timedelta(days=1))],))

    assert ledger.append("note", run=NO_RUN, body=b"{}\n").seq == 2


VERSION_1 = Path(__file__).with_name("postgresql_version_1.sql")
TO_VERSION_1_LEDGER = (
    "INSERT INTO portalops.blob VALUES ('{digest}', '\\x{stored}'); SELECT portalops.append(1, ARRAY['{line}'])"
)


@pytest.fixture
def old_site(make_site: Callable[[str], Site]) -> Site:
    """A ledger in tables of version 1, with details that are stored packed."""
    site = make_site(VERSION_1.read_text(encoding="utf-8"))
    body = bodies.write({"ledger": "0" * 32, "format": 1, "portalops": "1.0"})
    digest = hashlib.sha256(body).hexdigest()
    line = encode(Draft("ledger.created", Digest(digest)), seq=1, at=AT, prev=GENESIS).line.decode()
    site.sql(TO_VERSION_1_LEDGER.format(digest=digest, stored=packed(body).hex(), line=line))
    return site


def test_tables_of_version_1_are_read_and_take_nothing_until_they_are_upgraded(old_site: Site) -> None:
    assert verified(old_site.ledger(READER)).integrity.holds
    with pytest.raises(LedgerError, match="of version 1, not 2") as refusal:
        old_site.ledger(WRITER)
    assert "ledger prepare" in str(refusal.value.hint)


@pytest.mark.parametrize("is_by_script", [False, True])
def test_upgraded_tables_hold_the_same_records_and_refuse_what_new_ones_refuse(
    old_site: Site, *, is_by_script: bool
) -> None:
    before = verified(old_site.ledger(READER))
    if is_by_script:
        old_site.sql(script())
        old_site.sql(script())
    else:
        owned = old_site.kept("postgres").records
        assert isinstance(owned, PostgresqlStore)
        assert (owned.prepare(), owned.prepare()) == (True, False)

    ledger = old_site.ledger(WRITER)

    assert verified(ledger) == before
    with old_site.connect(WRITER) as thief, pytest.raises(psycopg.Error, match="format"):
        thief.execute("SELECT portalops.append(2, %s)", (["no record"],))
    assert ledger.append("note", run=NO_RUN, body=b"{}\n").seq == 2


def test_upgraded_and_new_tables_are_the_same(old_site: Site, server: Server) -> None:
    old_site.sql(script())
    server.sql("CREATE DATABASE anew")
    server.sql(script(), "anew")
    described = (
        "SELECT table_name, column_name, data_type, column_default FROM information_schema.columns WHERE table_schema = 'portalops'"
        " ORDER BY 1, 2; SELECT proname, prosrc, proacl FROM pg_proc WHERE pronamespace = 'portalops'::regnamespace ORDER BY 1;"
        " SELECT relname, relacl FROM pg_class WHERE relnamespace = 'portalops'::regnamespace ORDER BY 1"
    )
    assert old_site.sql(described) == server.sql(described, "anew")


def test_records_of_the_future_in_a_database_are_mended_by_two_and_found_by_time(site: Site) -> None:
    now = SystemClock().now().replace(microsecond=0)
    written = Written(site.folder / "of-one-machine", KEY, FixedClock(now))
    written.ledger = HeedfulLedger.open(site.folder, written.clock, create=True, kept=site.kept(WRITER))
    written.head()
    first = run_ahead(written, timedelta(minutes=50))
    with pytest.raises(ClockWentBack):
        written.append("note.added", note="x")

    mend(written, first, ledger=written.ledger.id)
    written.append("note.added", note="x")

    found = verified(written.ledger).integrity
    assert found.holds
    assert [each.quarantine.first for each in found.set_aside] == [first]
    assert [each.kind for each in written.ledger.records(since=written.clock.at)][-1] == "note.added"
    behind = written.ledger.records(until=now + timedelta(seconds=1))
    assert [each.seq for each in behind] == list(range(1, first))


def test_a_stolen_writer_of_a_database_claims_nothing_that_two_persons_set_aside(site: Site) -> None:
    ledger = site.ledger()
    record_head(ledger, KEY, FixedClock(AT))
    writer = WriterEvent(ledger.id, WriterState.ADDED, PERSON.public_key, "an", Authority.ALL)
    record_writer(ledger, writer, KEY)
    forged = ledger.append("backup.finished", run=NO_RUN, body=b"{}\n")
    named = forged.seq, forged.seq, line_digest(forged.line)
    text = text_of(Quarantine(ledger.id, *named, "An", "Bình", SECOND.public_key, "một người lạ đã ghi"))
    signed = {
        name: sign(text.encode(), key, NAMESPACE) for name, key in (("signature", KEY), ("second_signature", SECOND))
    }
    body = ledger.keep(bodies.write({"quarantine": {"text": text, **signed}}))
    ledger.append_quarantine(ledger.draft(QUARANTINED, body=body))

    ledger.append_many((draft_claim(ledger, PERSON, (LineRange(*named),)),))
    record_writer(ledger, WriterEvent(ledger.id, WriterState.ADDED, SECOND.public_key, "binh", Authority.ALL), KEY)

    assert read_ownership(ledger).owner(forged.seq) is None
    assert numbers_set_aside(ledger) == {forged.seq}
    assert len(verified(ledger).integrity.set_aside) == 1


def test_no_account_dates_a_record_back_as_a_mended_clock(site: Site) -> None:
    ledger = site.ledger(at=SystemClock().now())
    body = ledger.keep(b"{}\n")
    newest = ledger.last()
    assert newest is not None
    forged = encode(
        Draft("ledger.clock-mended", body),
        seq=newest.seq + 1,
        at=AT - timedelta(days=900),
        prev=line_digest(newest.line),
    )

    with site.connect(WRITER) as thief, pytest.raises(psycopg.Error, match="earlier than the record before it"):
        thief.execute("SELECT portalops.append(%s, %s)", (forged.seq, [forged.line.decode()]))


@pytest.mark.parametrize("is_set_aside", [False, True])
def test_a_void_clock_in_a_database_begins_no_time_anew_and_hides_nothing(site: Site, is_set_aside: bool) -> None:
    now = SystemClock().now().replace(microsecond=0)
    written = Written(site.folder / "of-one-machine", KEY, FixedClock(now))
    written.ledger = HeedfulLedger.open(site.folder, written.clock, create=True, kept=site.kept(WRITER))
    written.append("note.added", note="x")
    written.head()
    before = [each.seq for each in written.ledger.records(since=now)]
    written.at(now - timedelta(minutes=30))
    ledger = written.ledger
    void = ledger.append_mend(
        ledger.draft("ledger.clock-mended", body=ledger.keep(b"{}\n")), ledger.newest_number()
    ).seq
    line = encode(
        Draft("note.added", ledger.keep(b"{}\n")),
        seq=void + 1,
        at=written.clock.at,
        prev=line_digest(_line(ledger, void)),
    ).line
    with site.connect(WRITER) as thief:
        thief.execute("SELECT portalops.append(%s, %s)", (void + 1, [line.decode()]))
    written.at(now + timedelta(minutes=1))
    if is_set_aside:
        _set_aside(written, void)

    found = verified(ledger).integrity

    assert void + 1 in {each.seq for each in found.faults}
    assert any(each.seq == void for each in found.faults) != is_set_aside
    assert [each.seq for each in ledger.records(since=now) if each.seq < void] == before
    assert numbers_mistimed(ledger) == {void + 1}


def test_a_line_between_request_and_signature_is_named_and_mended_with_the_others(site: Site) -> None:
    now = SystemClock().now().replace(microsecond=0)
    written = Written(site.folder / "of-one-machine", KEY, FixedClock(now))
    written.ledger = HeedfulLedger.open(site.folder, written.clock, create=True, kept=site.kept(WRITER))
    written.head()
    first = run_ahead(written, timedelta(minutes=50))
    ledger, last = written.ledger, written.ledger.newest_number()
    newest = ledger.record(last)
    assert newest is not None
    line = encode(Draft("note.added", ledger.keep(b"{}\n")), seq=last + 1, at=newest.at, prev=line_digest(newest.line))
    with site.connect(WRITER) as thief:
        thief.execute("SELECT portalops.append(%s, %s)", (last + 1, [line.line.decode()]))

    with pytest.raises(IntegrityError, match=f"record {last + 1} came meanwhile") as raised:
        ledger.append_mend(ledger.draft("ledger.clock-mended", body=ledger.keep(b"{}\n")), last)

    assert "Stop what recorded it" in str(raised.value.hint)
    mend(written, first, ledger=ledger.id)
    assert verified(ledger).integrity.holds


def test_a_quarantine_in_a_database_may_be_before_the_newest_record(site: Site) -> None:
    now = SystemClock().now().replace(microsecond=0)
    written = Written(site.folder / "of-one-machine", KEY, FixedClock(now))
    written.ledger = HeedfulLedger.open(site.folder, written.clock, create=True, kept=site.kept(WRITER))
    written.head()
    first = run_ahead(written, timedelta(minutes=50))
    written.clock.move(timedelta(minutes=50))
    moved = written.ledger.append("ledger.moved", run=NO_RUN, body=b"{}\n").seq
    written.at(now + timedelta(minutes=5))
    _set_aside(written, moved)
    with pytest.raises(ClockWentBack):
        written.append("note.added", note="x")
    mend(written, first, ledger=written.ledger.id)
    written.append("note.added", note="x")

    assert verified(written.ledger).integrity.holds


def _line(ledger: Ledger, seq: int) -> bytes:
    record = ledger.record(seq)
    assert record is not None
    return record.line


def _set_aside(written: Written, seq: int) -> None:
    ledger = written.ledger
    digest = line_digest(_line(ledger, seq))
    text = text_of(Quarantine(ledger.id, seq, seq, digest, "a", "b", SECOND.public_key, "x"))
    part = {
        "text": text,
        "signature": sign(text.encode(), written.key, "portalops-quarantine"),
        "second_signature": sign(text.encode(), SECOND, "portalops-quarantine"),
    }
    body = ledger.keep(bodies.write({"quarantine": part}))
    ledger.append_quarantine(ledger.draft("ledger.quarantined", body=body))


def test_a_ledger_whose_clock_was_mended_long_ago_is_taken_into_a_database(site: Site) -> None:
    written = Written(site.folder / "of-one-machine", KEY, FixedClock(AT - timedelta(days=900)))
    written.head()
    mend(written, run_ahead(written, timedelta(days=30)), ledger=written.ledger.id)
    go_on(written)
    lines = [each.line for each in written.ledger.records()]

    store = site.kept(WRITER).records
    take(store, 1, lines)

    assert [each.line for each in store.records(Selection())] == lines
