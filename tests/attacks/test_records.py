"""Attacks on records and details: by whoever can write the database and the files, without the key and with it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from portalops.errors import ClockWentBack, ExitCode
from portalops.ledger.blobs import BlobFolder
from portalops.ledger.heads import HEAD, NAMESPACE, head_digest, parse_head, text_of
from portalops.ledger.ledger import BLOBS, Ledger
from portalops.ledger.record import NO_RUN, encode, line_digest, parse
from portalops.model.heads import Head, KeyEvent, SignedHead
from portalops.model.record import RunId
from portalops.signatures.sshsig import SigningKey, sign
from tests.attacks.scene import (
    DAYS,
    END,
    START,
    Auditor,
    Done,
    Forger,
    Portal,
    build,
    columns_of,
    faults,
    first_bad,
    insert,
    lines_of,
    sql,
    store,
    take_head,
    write_key,
)
from tests.doubles import FixedClock

BACKUP = 6
"""The record of the first backup: `backup.finished`."""


def caught(done: Done, seq: int, words: str) -> None:
    """It is said that records were changed, which is the first, and why."""
    assert done.code == ExitCode.INTEGRITY, done
    assert first_bad(done) == seq, done.data["integrity"]
    assert any(words in line for line in faults(done)[seq]), faults(done)


def test_the_portal_that_is_attacked_holds_with_all_that_the_auditor_brings(portal: Portal, auditor: Auditor) -> None:
    done = portal.verify(*auditor.options("head", "code", "signers"))

    assert done.code == ExitCode.OK, done
    assert parse(lines_of(portal)[BACKUP - 1]).kind == "backup.finished"


# --- Edit, delete, insert, reorder -------------------------------------------------------------------------------------


def test_an_edited_record_is_named(portal: Portal) -> None:
    """The line and its columns are changed together, so that they agree."""
    record = parse(lines_of(portal)[BACKUP - 1])
    exchange_record(portal, record.line.replace(b'"subject":"weekly-backup"', b'"subject":"weekly-backuq"'))

    caught(portal.verify(), BACKUP, "is not the record that record 7 was chained to")


def test_a_column_that_says_something_else_than_its_line_is_named(portal: Portal) -> None:
    """The table is made anew, with columns of its own: queries would find another kind than the line has."""
    records = [columns_of(parse(line)) for line in lines_of(portal)]
    records[BACKUP]["kind"] = "backup.started"

    def remake(db: sqlite3.Connection) -> None:
        db.execute("DROP TABLE record")
        db.execute(f"CREATE TABLE record (seq INTEGER PRIMARY KEY, {', '.join(list(records[0])[1:])})")
        marks = ", ".join("?" for _column in records[0])
        db.executemany(f"INSERT INTO record VALUES ({marks})", [list(each.values()) for each in records])

    sql(portal, remake)

    caught(portal.verify(), BACKUP + 1, "the columns kind contradict the record's line")


def test_an_index_that_hides_a_record_is_told(portal: Portal) -> None:
    """The lines are whole; but an index that was filled by another rule lets queries, and so reports, miss one."""

    def poison(db: sqlite3.Connection) -> None:
        (text,) = db.execute("SELECT sql FROM sqlite_schema WHERE name = 'record_kind'").fetchone()
        db.execute("DROP INDEX record_kind")
        db.execute(f"CREATE INDEX record_kind ON record (CASE WHEN seq = {BACKUP} THEN 'x' ELSE kind END)")
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_schema SET sql = ? WHERE name = 'record_kind'", (text,))
        db.execute("PRAGMA writable_schema = OFF")

    sql(portal, poison)
    ledger = Ledger.open(portal.state, FixedClock(END), create=False)
    assert [record.seq for record in ledger.records(kinds=("backup.finished",))] != [
        seq for seq, line in enumerate(lines_of(portal), 1) if parse(line).kind == "backup.finished"
    ]

    done = portal.verify()

    caught(done, BACKUP, "an index of the database does not list a record")


def exchange_record(portal: Portal, line: bytes) -> None:
    """Put a line in the place of the one with its number, and its columns too, so that they agree."""

    def change(db: sqlite3.Connection) -> None:
        db.execute("DELETE FROM record WHERE seq = ?", (parse(line).seq,))
        insert(db, parse(line))

    sql(portal, change)


def test_a_deleted_record_is_named(portal: Portal) -> None:
    sql(portal, lambda db: db.execute("DELETE FROM record WHERE seq = ?", (BACKUP,)))

    caught(portal.verify(), BACKUP, f"record {BACKUP} is missing")


def test_a_deleted_record_is_named_where_the_others_move_up(portal: Portal) -> None:
    def delete(db: sqlite3.Connection) -> None:
        db.execute("DELETE FROM record WHERE seq = ?", (BACKUP,))
        db.execute("UPDATE record SET seq = -seq WHERE seq > ?", (BACKUP,))
        db.execute("UPDATE record SET seq = -seq - 1 WHERE seq < 0")
        db.execute("UPDATE tail SET size = size - 1")

    sql(portal, delete)

    caught(portal.verify(), BACKUP, f"record {BACKUP + 1} is stored as number {BACKUP}")


def test_an_inserted_record_is_named(portal: Portal) -> None:
    records = [parse(line) for line in lines_of(portal)]
    before = records[BACKUP - 1]
    forged = encode(
        Ledger.draft("backup.finished", run=RunId(f"{before.run}.2"), body=before.body, subject="weekly-backup"),
        seq=BACKUP + 1,
        at=before.at,
        prev=line_digest(before.line),
    )
    moved = [replace(each, seq=each.seq + 1) for each in records[BACKUP:]]
    store(portal, [*records[:BACKUP], forged, *moved])

    done = portal.verify()

    caught(done, BACKUP + 1, f"record {BACKUP + 1} is stored as number {BACKUP + 2}")


def test_two_exchanged_records_are_named(portal: Portal) -> None:
    records = [parse(line) for line in lines_of(portal)]
    one, other = records[BACKUP - 1], records[BACKUP]
    exchanged = [
        *records[: BACKUP - 1],
        replace(other, seq=BACKUP),
        replace(one, seq=BACKUP + 1),
        *records[BACKUP + 1 :],
    ]
    store(portal, exchanged)

    caught(portal.verify(), BACKUP, f"record {BACKUP + 1} is stored as number {BACKUP}")


def test_without_their_triggers_gone_records_are_refused_a_change(portal: Portal) -> None:
    """The seat belt: a mistake is refused before it happens."""
    with closing(sqlite3.connect(portal.state / "ledger.sqlite")) as db:
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            db.execute("UPDATE record SET line = 'x'")
        with pytest.raises(sqlite3.IntegrityError, match="never deleted"):
            db.execute("DELETE FROM record")


# --- Delete and chain anew, without the key ----------------------------------------------------------------------------


def without_first_backup(portal: Portal) -> Forger:
    forger = Forger.of(portal)
    forger.entries = [each for each in forger.entries if not each.run.startswith("10.2:weekly-backup:2026-W47")]
    return forger


def test_a_chain_made_anew_without_the_key_is_not_what_the_heads_signed(portal: Portal) -> None:
    without_first_backup(portal).write()

    done = portal.verify()

    caught(done, 1, "records from 1 on were rewritten later")


@pytest.mark.parametrize("what", ["head", "code", "signers"])
def test_a_chain_made_anew_with_its_heads_dropped_is_caught(portal: Portal, auditor: Auditor, what: str) -> None:
    forger = without_first_backup(portal)
    forger.drop("head", "key.added")
    forger.write()

    # By itself it looks like a ledger that nobody has signed yet, and that is said.
    by_itself = portal.verify().data["integrity"]
    assert by_itself["holds"] is True
    assert by_itself["unsigned"] == by_itself["records"]

    caught(portal.verify(*auditor.options(what)), 1, words_of(what, auditor))


@pytest.mark.parametrize("what", ["the configured key", "head", "code", "signers"])
def test_a_chain_signed_with_the_attackers_own_key_is_caught(portal: Portal, auditor: Auditor, what: str) -> None:
    """The key records are made anew as well, so that the ledger itself knows no other key."""
    own = write_key(portal.folder.parent / "own", 66)
    forger = without_first_backup(portal)
    place = forger.find("key.added")
    forger.entries[place] = forger.entries[place].holding(key=KeyEvent(own.public_key, "the first key"))
    forger.write(own)
    if what != "the configured key":
        forget_key(portal)
        assert portal.verify().code == ExitCode.OK  # by itself such a ledger is without fault

    done = portal.verify(*(() if what == "the configured key" else auditor.options(what)))

    own_words = "this machine's signing key"
    caught(done, 1, own_words if what == "the configured key" else words_of(what, auditor))


@pytest.mark.parametrize("place", ["behind the real one", "before the real one"])
def test_a_stranger_key_beside_the_real_one_is_not_what_this_machine_signs_with(portal: Portal, place: str) -> None:
    """Without the key: heads are dropped, the real key stays in the records, and a stranger's signs all of it."""
    own = write_key(portal.folder.parent / "own", 66)
    forger = without_first_backup(portal)
    at = forger.find("key.added")
    stranger = forger.entries[at].holding(key=KeyEvent(own.public_key, "the old one was lost"))
    forger.entries.insert(at + 1 if place == "behind the real one" else at, stranger)
    forger.write(own)

    done = portal.verify()

    if place == "behind the real one":
        caught(done, forger.find(HEAD) + 1, "which nobody confirmed")
    else:
        caught(done, at + 1, "signs the heads, but this machine's key")


def test_a_stranger_key_added_to_the_records_is_no_successor(portal: Portal, auditor: Auditor) -> None:
    """The old key is retired in the records and another named as its successor; the old one never signed that."""
    own = write_key(portal.folder.parent / "own", 66)
    forger = Forger.of(portal)
    last = forger.entries[-1]
    added = replace(last, kind="key.added", run="", subject="", duty="").holding(
        key=KeyEvent(own.public_key, "a new year", portal.key.public_key)
    )
    retired = replace(last, kind="key.retired", run="", subject="", duty="").holding(
        key=KeyEvent(portal.key.public_key, "a new year")
    )
    head = replace(forger.entries[forger.find("head", -1)], at=last.at)
    forger.entries += [added, retired]
    records = forger.write()
    append_head(portal, forger, head.head, own, len(records))

    for done in (portal.verify(), portal.verify(*auditor.options("signers"))):
        caught(done, len(records), "no key of the ledger confirms that key")
        assert any("which nobody confirmed" in line for line in faults(done)[len(records) + 1])


def forget_key(portal: Portal) -> None:
    """Take the signing key out of the configuration, so that nothing on this machine says which one is right."""
    path = portal.folder / "portalops.toml"
    path.write_text(path.read_text().replace('[signing]\nkey = "signing"\n', ""))


def words_of(what: str, auditor: Auditor) -> str:
    if what in {"head", "code"}:
        return f"record {auditor.size} is not the record that the head"
    return "records from 1 on are not covered by a head of the keys that you gave"


def append_head(portal: Portal, forger: Forger, like: SignedHead | None, key: SigningKey, size: int) -> None:
    """Sign a further head over everything, with any key, and append it."""
    assert like is not None
    old = parse_head(like.text.encode())
    last = parse(lines_of(portal)[-1])
    newest = next(each.head for each in reversed(forger.entries) if each.head is not None)
    text = text_of(Head(old.ledger, size, line_digest(last.line), last.at, head_digest(newest.text)))
    signed = SignedHead(text, sign(text.encode(), key, NAMESPACE))
    entry = replace(forger.entries[-1], kind=HEAD, run="", subject="", duty="", head=None).holding(head=signed)
    forger.entries.append(entry)
    forger.write()


# --- Cut the end off, together with its heads ---------------------------------------------------------------------------


def cut(portal: Portal, count: int) -> None:
    """Keep the first records; the stored end of the chain is put back too."""
    records = [parse(line) for line in lines_of(portal)]
    store(portal, records[:count])


def test_a_cut_end_is_beyond_what_the_auditor_holds(portal: Portal, auditor: Auditor) -> None:
    cut(portal, 11)  # to the first report's head, so that what is left is whole

    assert portal.verify().data["integrity"]["holds"] is True  # a chain does not know how long it was

    for what in ("head", "code"):
        caught(portal.verify(*auditor.options(what)), 12, "its end was cut off")


def test_a_cut_end_shows_as_missing_runs(portal: Portal) -> None:
    cut(portal, 11)

    done = portal.verify()

    assert done.code == ExitCode.UNMET
    assert {"job": "daily-verify", "slot": "2026-11-18"} in done.data["completeness"]["missing"]


def test_a_cut_behind_the_auditors_head_is_only_seen_by_a_later_one(
    scene: tuple[Portal, Auditor], portal: Portal, auditor: Auditor, tmp_path: Path
) -> None:
    """What lies behind the last head that anybody else holds is not protected: anchor often."""
    later = take_head(scene[0], tmp_path / "later")
    cut(portal, auditor.size + 2)

    assert portal.verify(*auditor.options("head")).data["integrity"]["holds"] is True
    caught(portal.verify(*later.options("head")), auditor.size + 3, "its end was cut off")


# --- Root, who has the key ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["head", "code"])
def test_everything_rewritten_and_signed_anew_with_the_key_is_not_what_the_auditor_holds(
    portal: Portal, auditor: Auditor, what: str
) -> None:
    without_first_backup(portal).write(portal.key)

    assert portal.verify(*auditor.options("signers")).data["integrity"]["holds"] is True  # the key alone proves nothing

    caught(portal.verify(*auditor.options(what)), 1, f"record {auditor.size} is not the record that the head")


def test_a_backdated_backup_is_not_what_the_auditor_holds(portal: Portal, auditor: Auditor, tmp_path: Path) -> None:
    """Between the records of the second day a backup is put that never was; all of it is signed anew."""
    early = Forger.of(portal)
    first = early.entries[early.find("head", 0)].head
    assert first is not None
    (tmp_path / "first.txt").write_text(first.text)
    forger = Forger.of(portal)
    place = forger.find("verify.started", 1)
    made = [each for each in forger.entries if each.run == "10.2:weekly-backup:2026-W47" and each.kind != "key.added"]
    day = forger.entries[place].at
    forger.entries[place:place] = [replace(each, run=f"{each.run}.2", at=day) for each in made]
    forger.write(portal.key)

    assert portal.verify().code == ExitCode.OK

    caught(portal.verify(*auditor.options("head")), 1, "records from 1 on were rewritten later")
    # With an older head as well, the span in which it happened is told.
    size = int(first.text.split("\n")[2].split(" ")[1])
    both = portal.verify("--head", str(tmp_path / "first.txt"), *auditor.options("head"))
    caught(both, size + 1, f"records from {size + 1} on were rewritten later")


def test_a_head_with_another_text_under_its_old_signature_is_named(portal: Portal) -> None:
    forger = Forger.of(portal)
    place = forger.find("head", 1)
    signed = forger.entries[place].head
    assert signed is not None
    text = signed.text.replace("size 12", "size 11")
    assert text != signed.text
    forger.entries[place] = replace(forger.entries[place].holding(head=replace(signed, text=text)), head=None)
    forger.write()

    done = portal.verify()

    assert done.code == ExitCode.INTEGRITY
    assert any("signature does not" in line for line in faults(done)[place + 1]), faults(done)


# --- Append now, claiming a past time -----------------------------------------------------------------------------------


def test_a_record_of_the_past_is_refused_by_the_ledger(portal: Portal) -> None:
    ledger = Ledger.open(portal.state, FixedClock(START), create=True)

    with pytest.raises(ClockWentBack):
        ledger.append("backup.finished", run=NO_RUN, body=b"{}\n")

    ledger.close()


def test_a_run_with_the_clock_set_back_is_refused_before_it_does_anything(portal: Portal) -> None:
    done = portal.call("backup", "run", at=START + timedelta(hours=1))

    assert done.code == ExitCode.FAILED, done
    assert "the clock" in done.text
    assert portal.verify().code == ExitCode.OK


def test_a_backup_beside_a_mended_clock_that_counts_for_nothing_ends_as_a_run_does(portal: Portal) -> None:
    ledger = Ledger.open(portal.state, FixedClock(START), create=True)
    draft = ledger.draft("ledger.clock-mended", body=ledger.keep(b'{"mended_clock":{"text":"x"}}\n'))
    ledger.append_mend(draft, ledger.newest_number())

    done = portal.call("backup", "run", at=END + timedelta(minutes=1))

    assert done.code == ExitCode.INTEGRITY, done
    assert portal.call("run", at=END + timedelta(minutes=2)).code == ExitCode.INTEGRITY, "as a run does"


def test_a_record_of_the_past_that_is_chained_and_signed_with_the_key_is_named(portal: Portal) -> None:
    forger = Forger.of(portal)
    made = next(each for each in forger.entries if each.kind == "backup.finished")
    head = forger.entries[forger.find("head", -1)].head
    forger.entries.append(replace(made, run="10.2:weekly-backup:2026-W46", at=START + timedelta(hours=1)))
    records = forger.write()
    forger.entries[-1].at = made.at
    del head

    caught(portal.verify(), records[-1].seq, "earlier than the record before")


# --- A second ledger for another auditor --------------------------------------------------------------------------------


@pytest.mark.heavy
def test_a_ledger_begun_anew_for_another_auditor_is_another_ledger(
    portal: Portal, auditor: Auditor, tmp_path: Path
) -> None:
    (tmp_path / "second").mkdir()
    other, others_auditor = build(tmp_path / "second" / "portal")

    assert other.verify(*others_auditor.options("head")).code == ExitCode.OK
    caught(other.verify(*auditor.options("head")), 1, "belongs to another ledger")
    caught(other.verify(*auditor.options("code")), 1, f"record {auditor.size} is not the record that the head")
    caught(portal.verify(*others_auditor.options("head")), 1, "belongs to another ledger")


def test_two_branches_of_one_ledger_show_when_two_heads_are_compared(
    portal: Portal, auditor: Auditor, scene: tuple[Portal, Auditor], tmp_path: Path
) -> None:
    """From the sixth day on each of two auditors is shown another story, both signed with the real key."""
    forger = Forger.of(portal)
    place = forger.find("verify.started", 5)
    second_week = "10.2:weekly-backup:2026-W48"
    forger.entries = [each for at, each in enumerate(forger.entries) if at < place or each.run != second_week]
    forger.write(portal.key)
    one, other = take_head(scene[0], tmp_path / "one"), take_head(portal, tmp_path / "other")

    # Each branch holds by itself, and with what was taken along before they parted.
    assert portal.verify(*auditor.options("head"), *other.options("head")).data["integrity"]["holds"] is True
    assert scene[0].verify(*auditor.options("head"), *one.options("head")).data["integrity"]["holds"] is True

    parted = f"records from {auditor.size + 1} on were rewritten later"
    caught(scene[0].verify(*auditor.options("head"), *other.options("head")), auditor.size + 1, parted)


# --- Details ------------------------------------------------------------------------------------------------------------


def spoil(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def exchange(path: Path) -> None:
    """Another frame in its place, whole in itself."""
    other = BlobFolder(path.parent / "other")
    path.write_bytes(other.path(other.keep(b'{"backup":{"outcome":"complete"}}\n')).read_bytes())


@pytest.mark.parametrize(
    ("attack", "words"), [(spoil, "record 6: "), (exchange, "record 6: "), (Path.unlink, "record 6: ")]
)
def test_changed_details_are_named_with_their_record(
    portal: Portal, attack: Callable[[Path], None], words: str
) -> None:
    body = parse(lines_of(portal)[BACKUP - 1]).body
    path = BlobFolder(portal.state / BLOBS).path(body)
    path.chmod(0o600)
    attack(path)

    caught(portal.verify(), BACKUP, words)


def test_details_exchanged_with_their_digest_in_the_record_are_named(portal: Portal) -> None:
    forger = Forger.of(portal)
    place = forger.find("backup.finished")
    forger.entries[place] = forger.entries[place].holding(run={"outcome": "complete"})
    body = BlobFolder(portal.state / BLOBS).keep(forger.entries[place].blob)
    record = parse(lines_of(portal)[place])
    exchange_record(portal, record.line.replace(record.body.encode(), body.encode()))

    caught(portal.verify(), place + 1, f"is not the record that record {place + 2} was chained to")


def test_the_ledger_still_records_after_an_attack_was_found_and_says_so(portal: Portal) -> None:
    """An end that was changed is refused by the very next record."""
    sql(portal, lambda db: db.execute("DELETE FROM record WHERE seq = (SELECT max(seq) FROM record)"))

    done = portal.call("run", at=START + timedelta(days=DAYS))

    assert done.code == ExitCode.INTEGRITY, done
