"""Attacks by whoever has the key, or had it, on heads, keys, erasures and the place of records."""

from __future__ import annotations

import os
import shutil
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from portalops import bodies
from portalops.errors import ExitCode, LedgerError
from portalops.ledger.blobs import BlobFolder
from portalops.ledger.heads import HEAD, NAMESPACE, head_digest, parse_head, text_of
from portalops.ledger.ledger import BLOBS, Ledger
from portalops.ledger.record import NO_RUN, line_digest, parse
from portalops.model.heads import Erasure, Head, KeyEvent, SignedHead
from portalops.registers.signers import LEDGER_NAMESPACES, allowed_signers_line
from portalops.signatures.sshsig import SigningKey, sign
from tests.attacks.bundle import both, check, export
from tests.attacks.scene import (
    DAYS,
    END,
    START,
    Auditor,
    Done,
    Forger,
    Portal,
    faults,
    first_bad,
    lines_of,
    sql,
    take_head,
    write_key,
)
from tests.attacks.test_records import BACKUP, caught
from tests.doubles import FixedClock


def newest(forger: Forger) -> Head:
    held = next(each.head for each in reversed(forger.entries) if each.head is not None)
    return parse_head(held.text.encode())


def append(forger: Forger, kind: str, **parts: object) -> None:
    """Record something at the time of the last record, and chain everything anew; heads stay as they were signed."""
    entry = replace(forger.entries[-1], kind=kind, run="", subject="", duty="", head=None)
    forger.entries.append(entry.holding(**parts))
    forger.write()


def append_head(forger: Forger, key: SigningKey, *, size: int | None = None, purpose: str = NAMESPACE) -> None:
    """Sign a head over the first records with any key, for any purpose, and record it."""
    lines = lines_of(forger.portal)
    over = len(lines) if size is None else size
    held = [each for each in forger.entries if each.kind == HEAD]
    before = bodies.decode_part(held[-1].blob, HEAD, SignedHead)
    assert before is not None
    head = Head(
        newest(forger).ledger, over, line_digest(lines[over - 1]), forger.entries[-1].at, head_digest(before.text)
    )
    text = text_of(head)
    append(forger, HEAD, head=SignedHead(text, sign(text.encode(), key, purpose)))


def test_a_second_head_over_the_same_records_is_named(portal: Portal) -> None:
    """Two heads of one size could be shown to two auditors."""
    forger = Forger.of(portal)
    append_head(forger, portal.key, size=newest(forger).size)

    caught(portal.verify(), len(forger.entries), "no more than the previous head")


def test_a_head_that_was_signed_for_another_purpose_is_none(portal: Portal) -> None:
    """The machine signs backup sets with the same key; such a signature is none of a head."""
    forger = Forger.of(portal)
    append(forger, "note", x=1)
    append_head(forger, portal.key, purpose="portalops-set")

    caught(portal.verify(), len(forger.entries), "made for another purpose")


def test_a_key_that_signs_before_it_is_recorded_is_refused(portal: Portal) -> None:
    own = write_key(portal.folder.parent / "own", 66)
    forger = Forger.of(portal)
    append(forger, "note", x=1)
    append_head(forger, own)
    forger.entries[-1].at = forger.entries[-1].at
    later = replace(forger.entries[-1], at=forger.entries[-1].at + timedelta(seconds=1))
    forger.entries.append(later)
    append(forger, "key.added", key=KeyEvent(own.public_key, "a new year", portal.key.public_key))

    done = portal.verify()

    assert done.code == ExitCode.INTEGRITY
    assert any("which nobody confirmed" in line for lines in faults(done).values() for line in lines), faults(done)


def test_the_word_of_the_old_key_comes_too_late_for_a_key_that_has_signed_already(portal: Portal) -> None:
    """Whoever stole a machine signs with a key of their own first, and has the old key's word once they find that too."""
    own = write_key(portal.folder.parent / "own", 66)
    forger = Forger.of(portal)
    append(forger, "key.added", key=KeyEvent(own.public_key, "a new year", portal.key.public_key))
    added = len(forger.entries)
    append_head(forger, own)
    append(forger, "note", x=1)
    append_head(forger, portal.key)

    caught(portal.verify(), added, "names a previous key that did not sign for it")


def test_a_retired_key_signs_nothing_any_more(portal: Portal) -> None:
    own = write_key(portal.folder.parent / "own", 66)
    forger = Forger.of(portal)
    append(forger, "key.added", key=KeyEvent(own.public_key, "a new year", portal.key.public_key))
    append_head(forger, portal.key)
    append(forger, "key.retired", key=KeyEvent(portal.key.public_key, "a new year"))
    forger.entries.append(replace(forger.entries[-1], kind="note", at=forger.entries[-1].at + timedelta(seconds=1)))
    forger.write()
    append_head(forger, portal.key)

    caught(portal.verify(), len(forger.entries), "when this key was not in use")


def test_other_details_in_the_place_of_erased_ones_are_named(portal: Portal) -> None:
    """Erased details may be gone. They may not be others."""
    body = parse(lines_of(portal)[BACKUP - 1]).body
    ledger = Ledger.open(portal.state, FixedClock(END), create=True)
    ledger.append("blob.erased", run=NO_RUN, body=bodies.write({"erased": Erasure(body, "personal data", "somebody")}))
    ledger.close()
    blobs = BlobFolder(portal.state / BLOBS)
    path = blobs.path(body)
    path.unlink()
    assert portal.verify().data["integrity"]["holds"] is True

    shutil.copyfile(blobs.path(blobs.keep(b'{"backup":{"outcome":"complete"}}\n')), path)

    caught(portal.verify(), BACKUP, "does not match its digest")


def test_a_line_at_another_place_than_its_number_is_named(portal: Portal) -> None:
    last = len(lines_of(portal))
    sql(portal, lambda db: db.execute("UPDATE record SET seq = seq + 1 WHERE seq = ?", (last,)))

    done = portal.verify()

    assert done.code == ExitCode.INTEGRITY
    assert first_bad(done) == last


@pytest.mark.parametrize("many", [300, 700])
@pytest.mark.parametrize("place", ["the first of a chunk", "in the middle"])
def test_a_time_that_goes_back_is_named_in_a_long_ledger_too(portal: Portal, many: int, place: str) -> None:
    """Lines are looked at 256 at a time; the first of the next ones is compared with the last of those."""
    forger = Forger.of(portal)
    last = forger.entries[-1]
    for number in range(many):
        at = last.at + timedelta(seconds=number)
        forger.entries.append(replace(last, kind="note", head=None, at=at, blob=b"{}\n"))
    bad = 257 if place == "the first of a chunk" else 200
    forger.entries[bad - 1].at -= timedelta(seconds=5)
    forger.write()

    caught(portal.verify(), bad, "earlier than the record before")


def test_lines_of_a_long_ledger_at_other_places_are_named(portal: Portal) -> None:
    """The lines themselves are chained without a fault; only where they are stored is another place."""
    forger = Forger.of(portal)
    forger.entries += [replace(forger.entries[-1], kind="note", head=None, blob=b"{}\n") for _number in range(400)]
    records = forger.write()

    def move(db: sqlite3.Connection) -> None:
        db.execute("UPDATE record SET seq = -seq WHERE seq > 256")
        db.execute("UPDATE record SET seq = 1000 - seq WHERE seq < 0")

    sql(portal, move)

    done = portal.verify()

    assert done.code == ExitCode.INTEGRITY
    assert first_bad(done) == 257
    assert len(records) > 400


def test_records_of_one_and_the_same_moment_are_no_fault(portal: Portal) -> None:
    forger = Forger.of(portal)
    append(forger, "note", x=1)
    append(forger, "note", x=2)

    assert forger.entries[-1].at == forger.entries[-2].at
    assert portal.verify().data["integrity"]["holds"] is True


# --- The whole folder put back, runs and jobs under other names ---------------------------------------------------------


def test_a_state_folder_put_back_from_an_old_copy_is_beyond_what_the_auditor_holds(
    scene: tuple[Portal, Auditor], portal: Portal, tmp_path: Path
) -> None:
    """The copy holds by itself in every way, its heads and key included; and portalops works on with it."""
    forger = Forger.of(portal)
    forger.entries = forger.entries[:10]
    forger.write()
    os.sync()
    later = take_head(scene[0], tmp_path / "later")
    assert portal.verify().data["integrity"]["holds"] is True

    assert portal.call("run", at=END).code in {ExitCode.OK, ExitCode.UNMET}
    portal.sign(at=END)

    assert portal.verify().data["integrity"]["holds"] is True
    done = portal.verify(*later.options("head"))
    assert done.code == ExitCode.INTEGRITY
    assert any("rewritten later" in line or "cut off" in line for lines in faults(done).values() for line in lines)


def test_a_run_recorded_under_the_name_of_a_missed_one_fills_no_slot_of_the_past(portal: Portal) -> None:
    """The verification of the 17th is taken out, and a run of that name begun on the 25th."""
    name = "verify:daily-verify:2026-11-17"
    forger = Forger.of(portal)
    moved = [each for each in forger.entries if each.run == name]
    forger.entries = [each for each in forger.entries if each.run != name]
    forger.entries += [replace(each, at=forger.entries[-1].at) for each in moved]
    forger.write(portal.key)

    done = portal.verify()

    assert done.data["integrity"]["holds"] is True
    assert done.code == ExitCode.UNMET
    assert done.data["completeness"]["missing"] == [{"job": "daily-verify", "slot": "2026-11-17"}]


def test_a_run_id_that_was_used_is_never_used_again(portal: Portal) -> None:
    first = Forger.of(portal).entries[BACKUP - 1]
    ledger = Ledger.open(portal.state, FixedClock(END), create=True)

    with pytest.raises(LedgerError, match=r"already has a record of the kind backup\.finished"):
        ledger.append("backup.finished", run=parse(lines_of(portal)[BACKUP - 1]).run, body=first.blob)

    ledger.close()


def test_a_job_renamed_after_days_were_missed_leaves_them_missing(portal: Portal) -> None:
    path = portal.folder / "portalops.toml"
    path.write_text(path.read_text().replace('id = "daily-verify"', 'id = "nightly-verify"'))
    later = START + timedelta(days=DAYS + 3)
    assert portal.call("run", at=later).code in {ExitCode.OK, ExitCode.UNMET}

    done = portal.verify(at=later + timedelta(hours=1))

    assert done.code == ExitCode.UNMET
    missing = {each["slot"] for each in done.data["completeness"]["missing"] if each["job"] == "daily-verify"}
    assert missing == {"2026-11-26", "2026-11-27", "2026-11-28"}


def test_a_stranger_gets_the_same_of_a_word_that_came_too_late(portal: Portal, tmp_path: Path) -> None:
    """`verify.py` looks at the order of the heads too: the bundle of such a ledger does not hold."""
    own = write_key(portal.folder.parent / "own", 66)
    forger = Forger.of(portal)
    append(forger, "key.added", key=KeyEvent(own.public_key, "a new year", portal.key.public_key))
    added = len(forger.entries)
    append_head(forger, own)
    append(forger, "note", x=1)
    append_head(forger, portal.key)

    export(portal, tmp_path / "bundle")

    checked = check(tmp_path / "bundle")
    assert checked.code == ExitCode.INTEGRITY, checked.text[:800]
    assert checked.first_bad == added
    assert "the key names a previous key that did not sign for it" in checked.text


# --- Which keys follow those that an auditor brings ---------------------------------------------------------------------


def own_head(portal: Portal, forger: Forger, own: SigningKey) -> Done:
    """Have a stranger's key sign what there is, as the newest head."""
    append(forger, "note", x=1)
    append_head(forger, own)
    return portal.verify("--signers", str(portal.folder.parent / "kept"))


def keep_keys(portal: Portal, auditor: Auditor) -> SigningKey:
    """Lay the auditor's list of keys beside the portal; return a stranger's key."""
    shutil.copyfile(auditor.signers, portal.folder.parent / "kept")
    return write_key(portal.folder.parent / "own", 66)


def is_refused(done: Done) -> bool:
    said = [line for lines in faults(done).values() for line in lines]
    causes = (
        "not covered by a head of the keys that you gave",
        "which nobody confirmed",
        "when this key was not in use",
    )
    return done.code == ExitCode.INTEGRITY and any(cause in line for line in said for cause in causes)


def test_an_honest_change_of_keys_is_followed_from_the_list_that_the_auditor_has(
    portal: Portal, auditor: Auditor, tmp_path: Path
) -> None:
    """Twice, so that the second new key stands on the word of the first."""
    for number in (1, 2):
        at = END + timedelta(minutes=number)
        assert portal.call("ledger", "rotate-key", "--reason", "a new year", at=at).code == ExitCode.OK
        portal.sign(at=at)
    later = END + timedelta(minutes=3)
    export(portal, tmp_path / "bundle", at=later)

    assert portal.key.public_key not in auditor.signers.read_text()
    assert portal.verify(*auditor.options("signers", "head"), at=later).code == ExitCode.OK
    assert both(tmp_path / "bundle", auditor, "signers", "head").code == ExitCode.OK


def test_a_key_that_only_says_whom_it_replaces_is_not_followed(portal: Portal, auditor: Auditor) -> None:
    own, forger = keep_keys(portal, auditor), Forger.of(portal)
    append(forger, "key.added", key=KeyEvent(own.public_key, "a new year", portal.key.public_key))

    assert is_refused(own_head(portal, forger, own))


@pytest.mark.parametrize("covered", [False, True])
def test_a_key_that_replaces_none_is_not_followed(portal: Portal, auditor: Auditor, *, covered: bool) -> None:
    """Even if the machine's next honest head is over its record: that is no word for it."""
    own, forger = keep_keys(portal, auditor), Forger.of(portal)
    append(forger, "key.added", key=KeyEvent(own.public_key, "the old one was lost", ""))
    if covered:
        append_head(forger, portal.key)

    assert is_refused(own_head(portal, forger, own))


def test_a_retired_key_names_no_successor_any_more(portal: Portal, auditor: Auditor) -> None:
    """Whoever finds the old key after it was replaced signs for a key of their own with it."""
    own, old = keep_keys(portal, auditor), portal.key
    assert portal.call("ledger", "rotate-key", "--reason", "a new year", at=END).code == ExitCode.OK
    forger = Forger.of(portal)
    last = forger.entries[-1]
    forger.entries.append(replace(last, kind="note", head=None, blob=b"{}\n", at=last.at + timedelta(hours=1)))
    append(forger, "key.added", key=KeyEvent(own.public_key, "another year", old.public_key))
    append_head(forger, old)

    assert is_refused(own_head(portal, forger, own))


def test_a_key_that_the_auditor_has_with_its_end_names_no_successor(portal: Portal, auditor: Auditor) -> None:
    """The list says when the old key ended, so it also says who came after it; a word dated back changes nothing."""
    own, forger = keep_keys(portal, auditor), Forger.of(portal)
    append(forger, "key.added", key=KeyEvent(own.public_key, "a new year", portal.key.public_key))
    append_head(forger, portal.key)
    kept = portal.folder.parent / "kept"
    assert own_head(portal, forger, own).code == ExitCode.OK

    kept.write_text(allowed_signers_line("x", LEDGER_NAMESPACES, portal.key.public_key, START, END))

    assert is_refused(portal.verify("--signers", str(kept)))
