"""Mailboxes of submissions on a real Dovecot: forged dates, doubles, strangers, large and broken mail (updates.md, section 1)."""

from __future__ import annotations

import base64
import gc
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from checks.updates.job import account_of, replay
from checks.updates.mail import MAX_BOUNDARIES, MAX_TEXT, read_mail, vouches
from checks.updates.observations import ObservationStore
from checks.updates.sources.imap import READ_BYTES, ImapSource
from checks.updates.terms import Terms
from commands.cli.entry import run
from portalops.errors import ConfigurationError, LiteralSecret, SecretUnavailable, UpdateSourceError
from portalops.model.period import Week
from portalops.model.runs import Every
from portalops.model.updates import FlagKind, Grade, UpdatesResult
from portalops.model.verdicts import DutyVerdict
from tests.anchors.certificates import authority, server
from tests.checks.updates.mailboxes import HEALTH_OFFICE, TEXT, Mailbox, tin
from tests.checks.updates.scene import CALENDAR, HEALTH, JUSTICE, PORTAL, ZONE, at, rulebook, said_of
from tests.doubles import FixedClock
from tests.mailbox import PASSWORD, MailServer, dovecot, letter
from tests.shapes import validate_answer


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    root = authority("Khanh Hoa test authority")
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = server("127.0.0.1", root).write(folder, "server")
    (folder / "root.pem").write_bytes(root.pem)
    with dovecot(certificate=certificate, key=key) as running:
        (running.folder / "root.pem").write_bytes(root.pem)
        yield running


def _week(result: UpdatesResult, unit: str, week: str = "2026-W47") -> tuple[int, DutyVerdict]:
    found = next(one for one in result.unit_weeks if str(one.week) == week and one.unit == unit)
    return found.submissions, found.submissions_verdict


def test_mail_counts_when_the_server_took_it_and_not_when_its_header_claims(mail: MailServer, tmp_path: Path) -> None:
    box = Mailbox(mail, "forged", tmp_path)
    box.collect("2026-11-13 20:00")
    box.put("2026-11-17 09:00", tin(1, date="2026-11-10 09:00"))
    box.put("2026-11-23 09:00", tin(2, date="2026-11-17 09:00"))

    result = box.collect("2026-11-24 09:00")

    one, two = sorted(box.items(), key=lambda item: item.seen.title)
    assert [_day(item.counts_at) for item in (one, two)] == ["2026-11-17", "2026-11-23"]
    assert (one.grade, _day(one.claimed_at)) == (Grade.D, "2026-11-10")
    assert _week(result, "so-y-te") == (1, DutyVerdict.UNMET)
    assert _week(result, "so-y-te", "2026-W46")[0] == 0


def test_mail_that_came_in_days_before_the_look_counts_on_its_own_day(mail: MailServer, tmp_path: Path) -> None:
    box = Mailbox(mail, "late", tmp_path)
    box.put("2026-11-16 00:30", tin(1))  # still Sunday in UTC
    box.put("2026-11-20 23:30", tin(2))

    result = box.collect("2026-11-24 09:00")

    assert _week(result, "so-y-te") == (2, DutyVerdict.MET)
    assert [_day(item.counts_at) for item in box.items()] == ["2026-11-16", "2026-11-20"]


def test_a_message_counts_once_however_often_it_comes(mail: MailServer, tmp_path: Path) -> None:
    box = Mailbox(mail, "doubles", tmp_path)
    for received in ("2026-11-16 09:00", "2026-11-18 09:00"):
        box.put(received, tin(7))
    box.collect("2026-11-18 20:00")
    box.put("2026-11-19 09:00", tin(7))

    result = box.collect("2026-11-24 09:00")

    assert [_day(item.counts_at) for item in box.items()] == ["2026-11-16"]
    assert _week(result, "so-y-te")[0] == 1


PARTS = "Ra quân dọn rác bãi biển"


@pytest.mark.parametrize(
    ("user", "mails", "why"),
    [
        (
            "one-name",
            [("Tin bài", "", "Ra quân vệ sinh môi trường biển.docx"), ("Tin bài", "", "Ra quân vệ sinh môi trường biển.docx")],
            "an earlier mail of this unit has a file of this name: Tin bài, on 2026-11-16",
        ),
        (
            "two-parts",
            [(f"{PARTS} (1/2)", "", "a.zip"), (f"{PARTS} (2/2)", "", "b.zip")],
            f"an earlier mail of this unit seems to be another part of this one: {PARTS} (1/2), on 2026-11-16",
        ),
        (
            "one-beginning",
            [(PARTS, TEXT[:100], "a.zip"), (PARTS, TEXT, "b.zip")],
            f"an earlier mail of this unit has this subject and begins as this one does: {PARTS}, on 2026-11-16",
        ),
    ],
)  # fmt: skip
def test_a_mail_that_may_bring_an_earlier_one_again_says_by_what(
    mail: MailServer, tmp_path: Path, user: str, mails: list[tuple[str, str, str]], why: str
) -> None:
    box = Mailbox(mail, user, tmp_path)
    box.collect("2026-11-14 20:00")
    for day, (subject, text, file) in zip(("2026-11-16", "2026-11-18"), mails, strict=True):
        files = [(file, f"PK {day}".encode())]
        message = letter(HEALTH_OFFICE, subject, text, date=at(f"{day} 09:00"), message_id=f"<{day}@x>", files=files)
        box.put(f"{day} 09:00", message)
        box.collect(f"{day} 20:00")

    box.collect("2026-11-24 20:00")
    terms = Terms(rulebook(), CALENDAR, ZONE, box.clock.at, Every.DAY)
    account = account_of(
        box.store,
        sources=[box.source],
        units=(HEALTH, JUSTICE),
        portal=PORTAL,
        unit=HEALTH,
        week=Week(2026, 47),
        terms=terms,
    )

    assert account is not None
    assert str(account.items[-1].why) == why


def test_the_same_files_in_another_message_repeat_it_and_other_files_do_not(mail: MailServer, tmp_path: Path) -> None:
    box = Mailbox(mail, "files", tmp_path)
    for number, (received, words, data) in enumerate(
        [
            ("2026-11-16 09:00", "Gửi tin", b"PK bai mot"),
            ("2026-11-17 09:00", "Gửi lại tin hôm qua", b"PK bai mot"),
            ("2026-11-18 09:00", "Gửi tin", b"PK bai hai"),
        ]
    ):
        message = letter(
            HEALTH_OFFICE, words, words, date=at(received), message_id=f"<{number}@x>", files=[("bài viết.docx", data)]
        )
        box.put(received, message)

    box.collect("2026-11-24 09:00")

    found = {_day(item.seen.created_at): (_day(item.counts_at), item.flags) for item in box.items()}
    assert found == {
        "2026-11-16": ("2026-11-16", ()),
        "2026-11-17": ("2026-11-17", (FlagKind.DUPLICATE,)),
        "2026-11-18": ("2026-11-18", ()),
    }
    (again,) = (item for item in box.items() if item.flags)
    assert not again.is_sure


def test_a_sender_in_no_map_waits_for_review_and_counts_for_nobody(mail: MailServer, tmp_path: Path) -> None:
    box = Mailbox(mail, "strangers", tmp_path)
    senders = (
        "Sở Y tế <so-y-te>", "so-y-te@elsewhere.example", "Sở Y tế <vanthu@soyte.khanhhoa.example.evil.example>",
        "vanthu@soyte.khanhhoa.example, other@elsewhere.example",
        "vanthu@soyte.khanhhoa.example <other@elsewhere.example>",
    )  # fmt: skip
    for number, sender in enumerate(senders):
        box.put("2026-11-17 09:00", tin(number, sender="x@x.example").replace(b"x@x.example", sender.encode(), 1))
    box.put("2026-11-18 09:00", tin(9, sender="Ai đó <Bat.Ky@SoTuPhap.khanhhoa.example>"))

    result = box.collect("2026-11-24 09:00")

    strange = [item for item in box.items() if item.seen.unit is None]
    assert len(strange) == len(senders)
    assert all(item.flags == (FlagKind.UNKNOWN_UNIT,) for item in strange)
    assert any("(so-y-te@elsewhere.example)" in item.seen.title for item in strange)
    assert _week(result, "so-y-te")[0] == 0
    assert _week(result, "so-tu-phap")[0] == 1


@pytest.mark.heavy
def test_a_large_message_counts_with_its_file_and_is_not_loaded_again(mail: MailServer, tmp_path: Path) -> None:
    box = Mailbox(mail, "large", tmp_path)
    data = bytes(15 << 20)
    head = b"From: vanthu@soyte.khanhhoa.example\r\nContent-Disposition: attachment; filename=anh.zip\r\n"
    head += b"Content-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    box.put("2026-11-17 09:00", head + base64.encodebytes(data))  # 20 MB as mail

    result = box.collect("2026-11-17 20:00")
    again = box.collect("2026-11-18 08:00")

    kept = json.loads(box.keeper.blobs[_evidence(result)])
    assert (kept["messages"][0]["size"] > 20_000_000, kept["messages"][0]["files"][0]["size"]) == (True, 15 << 20)
    assert json.loads(box.keeper.blobs[_evidence(again)])["messages"] == []
    assert _week(again, "so-y-te")[0] == 1


BROKEN = {
    "no header at all": b"\x00\xff\xfe this is no mail",
    "an open boundary": b"From: vanthu@soyte.khanhhoa.example\nContent-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: tex",
    "bad base64": b"From: vanthu@soyte.khanhhoa.example\nSubject: =?utf-8?b?A?=\nContent-Transfer-Encoding: base64\n\n@@@",
    "no such charset": b"From: vanthu@soyte.khanhhoa.example\nContent-Type: text/plain; charset=tcvn-5712\n\nC\xe9ng h\xdfa",
    "no text encoding": b"From: vanthu@soyte.khanhhoa.example\nContent-Type: text/plain; charset=zlib\n\nx\x9c",
    "a bad file name": b"From: vanthu@soyte.khanhhoa.example\nContent-Disposition: attachment; filename*=xx''%ff%00\n\nx",
    "NUL": b"From: vanthu@soyte.khanhhoa.example\nSubject: T\x00in\n\na\x00b",
}


def test_broken_mail_is_taken_in_and_hides_no_other(mail: MailServer, tmp_path: Path) -> None:
    box = Mailbox(mail, "broken", tmp_path)
    for data in BROKEN.values():
        box.put("2026-11-17 09:00", data.replace(b"\n", b"\r\n"))
    box.put("2026-11-18 09:00", tin(1))

    result = box.collect("2026-11-24 09:00")

    assert result.polls[0].ok, result.polls[0].problem
    assert len(box.items()) == len(BROKEN) + 1
    assert _week(result, "so-y-te") == (2, DutyVerdict.MET)
    assert not any("\x00" in item.seen.title for item in box.items())


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_what_is_read_of_broken_mail_can_be_written_down(data: bytes) -> None:
    found = read_mail(data)

    assert json.dumps([found.subject, found.text, *(file.name for file in found.files)], ensure_ascii=False).encode()


def test_a_bomb_of_nested_parts_is_read_by_its_headers() -> None:
    depth = 3000
    opened = b"".join(b"--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n" % (n, n + 1) for n in range(depth))
    data = (
        b"From: a@b.example\nSubject: Bom\nContent-Type: multipart/mixed; boundary=b0\n\n" + opened + b"x\n" * 100_000
    )

    found = read_mail(data)

    assert (found.subject, found.sender, found.files) == ("Bom", "a@b.example", ())
    assert str(MAX_BOUNDARIES) in found.broken


HEAD = b"From: a@b.example\nSubject: Bom\n"
BOMBS = {
    "a million parts": HEAD + b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\n\n" * 1_000_000,
    "a million headers": HEAD + b"a: b\n" * 1_000_000 + b"\nx",
    "headers of parts": HEAD + b"Content-Type: multipart/mixed; boundary=a\n\n--a\n" + b"a: b\n" * 600_000 + b"\nx",
    "lines": HEAD + b"\n" + b"\n" * 8_000_000,
}


@pytest.mark.parametrize("data", BOMBS.values(), ids=BOMBS)
def test_bombs_are_read_by_their_headers(data: bytes) -> None:
    found = read_mail(data)

    assert (found.subject, found.sender, found.files) == ("Bom", "a@b.example", ())
    assert found.broken


@pytest.mark.parametrize("sender", [b"(" * 4000, b"<" * 4000, b'"' * 3999, b"a@b.example" * 300, b"=?utf-8?b?" * 400])
def test_a_sender_that_is_no_address_is_nobody(sender: bytes) -> None:
    assert read_mail(b"Subject: x\nFrom: " + sender + b"\n\nx").sender == ""


@pytest.mark.parametrize(
    "said", ["dmarc=fail ((x) ; dmarc=pass ;)", "dmarc=fail (x; dmarc=pass", 'dmarc=fail reason="x; dmarc=pass', "x=dmarc=pass", ""]
)  # fmt: skip
def test_no_word_inside_of_a_comment_or_a_quote_vouches(said: str) -> None:
    assert not vouches([f"mx.khanhhoa.example; {said}"], "mx.khanhhoa.example")


def test_a_header_without_end_takes_no_time_without_end() -> None:
    data = HEAD + b"Content-Type: text/plain" + b'; a="' * 1_000_000 + b"; x=y" * 1_000_000 + b"\n\nxin"

    assert read_mail(data).text in {"xin", ""}


def test_where_a_mail_server_is_to_vouch_for_the_sender_nothing_else_counts(mail: MailServer, tmp_path: Path) -> None:
    box = Mailbox(mail, "vouched", tmp_path, checked_by="mx.khanhhoa.example")
    checks = (
        b"mx.khanhhoa.example; dmarc=fail header.from=soyte.khanhhoa.example",
        b"mx.evil.example; dmarc=pass header.from=soyte.khanhhoa.example",
        b"mx.khanhhoa.example; spf=pass\r\n\tsmtp.mailfrom=x; dmarc=pass\r\n\theader.from=soyte.khanhhoa.example",
    )
    for number, said in enumerate(checks):
        box.put("2026-11-17 09:00", b"Authentication-Results: " + said + b"\r\n" + tin(number))
    box.put("2026-11-17 09:00", tin(9))

    box.collect("2026-11-24 09:00")

    assert {item.seen.title for item in box.items() if item.seen.unit} == {"Tin số 2"}
    assert len(box.items()) == 4


@pytest.mark.parametrize(
    "head", [b"Auto-Submitted: auto-replied (vacation)\n", b"Content-Type: multipart/report; boundary=a\n"]
)
def test_what_a_program_sends_by_itself_is_no_submission(mail: MailServer, tmp_path: Path, head: bytes) -> None:
    box = Mailbox(mail, f"auto{len(head)}", tmp_path)
    box.put("2026-11-17 09:00", head + b"From: vanthu@soyte.khanhhoa.example\nSubject: Vang mat\n\nToi di vang")

    box.collect("2026-11-24 09:00")

    (item,) = box.items()
    assert (item.seen.unit, FlagKind.UNKNOWN_UNIT in item.flags) == (None, True)


@pytest.mark.parametrize(
    ("said", "text", "unit"),
    [
        (b"auto-generated", b"tin " * 20, HEALTH.id),
        (b"auto-generated", b"tin " * 19, None),
        (b"auto-replied", b"tin " * 200, None),
    ],
)
def test_what_an_office_system_sends_with_a_text_is_open_for_its_unit(
    mail: MailServer, tmp_path: Path, said: bytes, text: bytes, unit: str | None
) -> None:
    box = Mailbox(mail, f"office{len(text)}{said.decode()}", tmp_path)
    head = b"Auto-Submitted: " + said + b"\nFrom: vanthu@soyte.khanhhoa.example\nSubject: Tin\n\n"
    box.put("2026-11-17 09:00", head + text)

    box.collect("2026-11-24 09:00")

    (item,) = box.items()
    assert (item.seen.unit, item.is_sure) == (unit, False if unit else item.is_sure)
    assert (FlagKind.AUTOMATIC in item.flags) is (unit is not None)


def test_text_is_kept_up_to_a_bound_and_marks_are_taken_out() -> None:
    html = b"From: a@b.example\nContent-Type: text/html; charset=utf-8\n\n<script>x</script><p>" + b"tin " * 100_000

    found = read_mail(html)

    assert (found.text[:8], len(found.text)) == ("tin tin ", MAX_TEXT - 1)


def test_text_and_names_of_files_go_through_the_checks_of_article_7_6(mail: MailServer, tmp_path: Path) -> None:
    box = Mailbox(mail, "legacy", tmp_path)
    tcvn3 = "Céng hßa x· héi chñ nghÜa ViÖt Nam. §éc lËp - Tù do - H¹nh phóc. " * 10
    header = b"From: vanthu@soyte.khanhhoa.example\r\nMessage-ID: <tcvn3>\r\nContent-Type: text/plain\r\n\r\n"
    box.put("2026-11-17 09:00", header + tcvn3.encode("latin-1"))
    decomposed = letter(HEALTH_OFFICE, "Tin", TEXT, date=at("2026-11-18 09:00"), files=[("ba\u0300i.docx", b"PK")])
    box.put("2026-11-18 09:00", decomposed)

    box.collect("2026-11-24 09:00")

    flags = [item.flags for item in box.items()]
    assert FlagKind.LEGACY_ENCODING in flags[0]
    assert FlagKind.NOT_NFC in flags[1]


def test_looks_read_again_from_their_evidence_give_the_same_store(mail: MailServer, tmp_path: Path) -> None:
    box = Mailbox(mail, "replayed", tmp_path)
    box.put("2026-11-16 09:00", tin(1))
    polls = [*box.collect("2026-11-16 20:00").polls]
    box.put("2026-11-17 09:00", tin(2))
    polls += box.collect("2026-11-17 15:00").polls
    before = box.items()

    box.store = ObservationStore.open(tmp_path / "again.sqlite")
    replay(
        polls, blob=box.keeper.blobs.__getitem__, sources=(box.source,), units=(HEALTH, JUSTICE), zone=ZONE, store=box.store
    )  # fmt: skip

    assert box.items() == before


def test_a_mailbox_that_is_asked_a_second_after_its_look_begins_leaves_no_time_unseen(
    mail: MailServer, tmp_path: Path
) -> None:
    box = Mailbox(mail, "late", tmp_path)
    asked = FixedClock(box.clock.at)
    box.source = ImapSource("mail", box.settings, zone=ZONE, clock=asked)
    for day in range(14, 25):
        for hour in ("08:00", "20:00"):
            asked.at = at(f"2026-11-{day} {hour}") + timedelta(seconds=1)
            result = box.collect(f"2026-11-{day} {hour}")

    (week,) = (one for one in result.unit_weeks if str(one.week) == "2026-W47" and one.unit == "so-y-te")
    assert week.unseen == ()
    assert _week(result, "so-y-te") == (0, DutyVerdict.UNMET)


def test_a_look_speaks_for_the_time_since_the_one_before_whose_numbers_it_knows(
    mail: MailServer, tmp_path: Path
) -> None:
    box = Mailbox(mail, "silent", tmp_path, days=5)
    first = box.collect("2026-11-02 08:00").polls[0]
    later = box.collect("2026-11-02 12:00").polls[0]
    box.clock.at = at("2026-11-24 09:00")
    result = box.collect("2026-11-24 09:00")

    assert later.covers_from == first.polled_at
    assert first.covers_from == at("2026-10-28 08:00")
    assert result.polls[0].covers_from == later.polled_at
    assert _week(result, "so-y-te") == (0, DutyVerdict.UNMET)


@pytest.mark.parametrize(
    ("ignore_gone", "verdict"), [(False, DutyVerdict.INSUFFICIENT_EVIDENCE), (True, DutyVerdict.UNMET)]
)
def test_mail_that_was_moved_before_a_look_is_counted_and_may_be_anybodys(
    mail: MailServer, tmp_path: Path, ignore_gone: bool, verdict: DutyVerdict
) -> None:
    box = Mailbox(mail, f"moved-{ignore_gone}", tmp_path, ignore_gone=ignore_gone)
    box.collect("2026-11-13 20:00")
    box.put("2026-11-17 09:00", tin(1))
    box.collect("2026-11-17 20:00")
    box.put("2026-11-19 09:00", tin(2))
    mail.empty(box.user)
    moved = box.collect("2026-11-19 20:00")
    result = box.collect("2026-11-24 09:00")

    assert _week(result, "so-y-te") == (1, verdict)
    said = str(moved.polls[0].blind)
    assert said.startswith("1 message came and went before this poll.") is not ignore_gone


CONFIGURATION = """
[portal]
id = "khanhhoa"
name = {{ vi = "Cổng thông tin điện tử tỉnh Khánh Hòa", en = "Khanh Hoa portal" }}
timezone = "Asia/Ho_Chi_Minh"
rulebook = "kh-37-2010"
language = "vi"

[state]
folder = "state"

[[unit]]
id = "so-y-te"
name = {{ vi = "Sở Y tế", en = "Department of Health" }}

[[updates.source]]
id = "hop-thu"
kind = "imap"
host = "127.0.0.1"
port = {port}
security = "none"
user = "by-command"
password = {{ file = "secret" }}
units = {{ "vanthu@soyte.khanhhoa.example" = "so-y-te" }}

[[job]]
id = "daily-updates"
kind = "updates"
every = "day"
"""


def test_the_commands_collect_mail_and_list_strangers_for_review(
    mail: MailServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "portalops.toml").write_text(CONFIGURATION.format(port=mail.port), "utf-8")
    (tmp_path / "secret").write_text(PASSWORD)
    (tmp_path / "secret").chmod(0o600)
    now = datetime.now(ZONE)
    for number, sender in enumerate((HEALTH_OFFICE, HEALTH_OFFICE, "la@elsewhere.example")):
        mail.put("by-command", tin(number, sender=sender), now)

    def call(*arguments: str) -> Any:
        run(["--json", "--config", str(tmp_path / "portalops.toml"), "updates", *arguments], {})
        answer = json.loads(capsys.readouterr().out)
        validate_answer(("updates", *arguments), answer)
        return answer["data"]

    (poll,) = call("collect")
    today = now.date().isoformat()
    everything = call("list", "--period", today)
    to_review = call("list", "--period", today, "--flagged")
    run(["--config", str(tmp_path / "portalops.toml"), "updates", "collect"], {})
    shown = capsys.readouterr().out

    assert (poll["ok"], poll["items"], poll["new_items"]) == (True, 3, 3)
    assert [(item["unit"], item["grade"]) for item in everything] == [(None, "D"), ("so-y-te", "D"), ("so-y-te", "D")]
    assert [(item["title"], item["flags"]) for item in to_review] == [
        ("Tin số 2 (la@elsewhere.example)", ["unknown-unit"])
    ]
    assert "poll it more often" not in shown


def test_collecting_names_the_alias_for_mail_from_below_a_units_domain(
    mail: MailServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = (
        CONFIGURATION.format(port=mail.port).replace("vanthu@soyte.khanhhoa", "h05").replace("by-command", "below")
    )
    (tmp_path / "portalops.toml").write_text(written, "utf-8")
    (tmp_path / "secret").write_text(PASSWORD)
    (tmp_path / "secret").chmod(0o600)
    mail.put("below", tin(1, sender="vanphong@vp.h05.example"), datetime.now(ZONE))

    run(["--json", "--config", str(tmp_path / "portalops.toml"), "updates", "collect"], {})

    assert 'add \\"vp.h05.example\\" to aliases in its [[unit]] table' in capsys.readouterr().out


def test_the_list_names_the_unit_whose_name_stands_before_a_strangers_address(
    mail: MailServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "portalops.toml").write_text(
        CONFIGURATION.format(port=mail.port).replace("by-command", "named"), "utf-8"
    )
    (tmp_path / "secret").write_text(PASSWORD)
    (tmp_path / "secret").chmod(0o600)
    now = datetime.now(ZONE)
    mail.put("named", tin(1, sender="Văn phòng Sở Y tế <hoa.nt@gmail.com>"), now)

    run(["--json", "--config", str(tmp_path / "portalops.toml"), "updates", "collect"], {})
    warned = json.loads(capsys.readouterr().out)["warnings"]
    run(
        [
            "--json",
            "--config",
            str(tmp_path / "portalops.toml"),
            "updates",
            "list",
            "--period",
            f"{now:%Y-%m-%d}",
            "--flagged",
        ],
        {},
    )
    (item,) = json.loads(capsys.readouterr().out)["data"]

    assert (item["unit_name"], item["resembles"]) == ("hoa.nt@gmail.com ‹Văn phòng Sở Y tế›", ["so-y-te"])
    assert any('add "hoa.nt@gmail.com" to aliases' in str(one) for one in warned), warned


def test_collecting_names_once_a_stranger_whose_mails_mention_a_unit(
    mail: MailServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "portalops.toml").write_text(
        CONFIGURATION.format(port=mail.port).replace("by-command", "mentions"), "utf-8"
    )
    (tmp_path / "secret").write_text(PASSWORD)
    (tmp_path / "secret").chmod(0o600)
    for number in (1, 2):
        mail.put("mentions", tin(number, sender="Thu Hoài <thuhoai88@gmail.com>"), datetime.now(ZONE))

    run(["--json", "--config", str(tmp_path / "portalops.toml"), "updates", "collect"], {})
    warned = [str(one) for one in json.loads(capsys.readouterr().out)["warnings"] if "thuhoai88" in str(one)]

    assert len(warned) == 1
    assert "2 mails of thuhoai88@gmail.com ‹Thu Hoài› may be of so-y-te" in warned[0]
    assert "add it to outsiders of the source" in warned[0]


def test_collecting_names_a_mail_from_one_units_address_under_another_units_name(
    mail: MailServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = '\n[[unit]]\nid = "so-tu-phap"\nname = { vi = "Sở Tư pháp" }\naliases = ["sotuphap.khanhhoa.example"]\n'
    configuration = CONFIGURATION.format(port=mail.port).replace("by-command", "two-senders") + other
    (tmp_path / "portalops.toml").write_text(configuration, "utf-8")
    (tmp_path / "secret").write_text(PASSWORD)
    (tmp_path / "secret").chmod(0o600)
    mail.put("two-senders", tin(1, sender="Sở Y tế <vanthu@sotuphap.khanhhoa.example>"), datetime.now(ZONE))

    run(["--json", "--config", str(tmp_path / "portalops.toml"), "updates", "collect"], {})
    warned = json.loads(capsys.readouterr().out)["warnings"]

    assert any("may be of so-tu-phap, so-y-te: the address is one unit's" in str(one) for one in warned), warned


# --- the door ---------------------------------------------------------------------------------


def test_a_connection_that_breaks_is_closed_all_the_same(mail: MailServer, tmp_path: Path) -> None:
    for said in (b"* BYE\r\n", b"* FETCH (BODY[] {%d}\r\n" % (READ_BYTES * 2)):
        with _liar(said) as port, pytest.raises(UpdateSourceError):
            Mailbox(mail, "liar", tmp_path, port=port).source.fetch(etag="")
    with pytest.raises(UpdateSourceError, match="is not valid"):
        Mailbox(mail, "starttls", tmp_path, security="starttls").source.fetch(etag="")

    gc.collect()  # a socket that was left open warns here, and a warning is an error


def test_tls_is_the_default_and_the_certificate_must_hold(
    mail: MailServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = Mailbox(mail, "tls", tmp_path, security="tls", port=mail.tls_port)
    with pytest.raises(UpdateSourceError, match=r"the certificate of 127\.0\.0\.1 is not valid") as refused:
        box.source.fetch(etag="")

    monkeypatch.setenv("SSL_CERT_FILE", str(mail.folder / "root.pem"))
    answer = box.source.fetch(etag="")

    assert "SSL_CERT_FILE" in str(refused.value.hint)
    assert answer.data is not None
    assert Mailbox(mail, "starttls", tmp_path, security="starttls").source.fetch(etag="").data is not None


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"folder": "INBOX/Không có"}, "could not open the folder INBOX/Không có"),
        ({"host": "localhost", "port": 1}, "cannot be reached"),
        ({"host": "khong-co.invalid", "security": "tls"}, "the name khong-co.invalid has no address"),
        ({"security": "tls"}, "does not follow the TLS protocol"),
    ],
)
def test_what_keeps_the_mailbox_shut_is_named(
    mail: MailServer, tmp_path: Path, settings: dict[str, Any], said: str
) -> None:
    box = Mailbox(mail, "shut", tmp_path, **settings)

    with pytest.raises(UpdateSourceError, match=said) as caught:
        box.source.fetch(etag="")

    assert str(caught.value.hint)
    assert PASSWORD not in str(caught.value)


def test_a_wrong_password_is_named_and_not_shown(mail: MailServer, tmp_path: Path) -> None:
    box = Mailbox(mail, "wrong", tmp_path)
    (tmp_path / "secret").write_text("sai-mật-khẩu")

    with pytest.raises(UpdateSourceError, match="refused the login of wrong") as caught:
        box.source.fetch(etag="")

    assert "sai-mật-khẩu" not in f"{caught.value} {caught.value.hint}"
    (tmp_path / "secret").chmod(0o644)
    with pytest.raises(SecretUnavailable):
        box.source.fetch(etag="")


def test_a_mailbox_that_lists_messages_and_does_not_tell_of_them_is_no_empty_one(
    mail: MailServer, tmp_path: Path
) -> None:
    with _refusing("FETCH") as port:
        box = Mailbox(mail, "refusing", tmp_path, port=port)

        with pytest.raises(UpdateSourceError, match=r"does not follow the IMAP protocol.*Out of memory"):
            box.source.fetch(etag="")


def test_a_message_that_the_server_does_not_give_is_named_and_asked_for_again(mail: MailServer, tmp_path: Path) -> None:
    with _refusing("BODY.PEEK") as port:
        box = Mailbox(mail, "refusing", tmp_path, port=port)
        answer = box.source.fetch(etag="")

    assert answer.data is not None
    listing = box.source.parse(answer.data, polled_at=box.clock.at)
    assert said_of(listing) == ("message 7: the server did not send it",)
    assert answer.etag.startswith("place:3.7.")


@pytest.mark.parametrize("greeting", [b"", b"* OK [CAPABILITY IMAP4rev1] ready\r\n"])
def test_a_server_that_hangs_up_is_said_to_have_closed_the_connection(
    mail: MailServer, tmp_path: Path, greeting: bytes
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _address = listening.accept()
            with connection:
                connection.sendall(greeting)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        box = Mailbox(mail, "hangs-up", tmp_path, port=listening.getsockname()[1])

        with pytest.raises(UpdateSourceError, match="closed the connection without an answer") as raised:
            box.source.fetch(etag="")
        thread.join(20)

    assert "its log says why" in str(raised.value.hint)


@contextmanager
def _refusing(refused: str) -> Iterator[int]:
    """A server with one message, number 7, that does all it is told but what holds a word."""
    said = {
        "CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n",
        "EXAMINE": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 3] as ever\r\n* OK [UIDNEXT 9] comes next\r\n",
        "SEARCH": b"* SEARCH 7\r\n",
        "FETCH": b'* 1 FETCH (UID 7 INTERNALDATE "16-Nov-2026 09:00:00 +0700" RFC822.SIZE 100)\r\n',
    }
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _address = listening.accept()
            with connection, connection.makefile("rwb") as wire:
                wire.write(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")
                wire.flush()
                for line in wire:
                    tag, *words = line.decode().split()
                    command = words[words[0] == "UID"]
                    if refused in line.decode():
                        wire.write(tag.encode() + b" NO [SERVERBUG] Out of memory\r\n")
                    else:
                        wire.write(said.get(command, b"") + tag.encode() + b" OK done\r\n")
                    wire.flush()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(20)


@contextmanager
def _liar(script: bytes) -> Iterator[int]:
    """A server that greets, tells what it can do, and says something made up when somebody logs in."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _address = listening.accept()
            with connection:
                connection.sendall(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")
                tag = connection.recv(4096).split(b" ")[0]
                connection.sendall(b"* CAPABILITY IMAP4rev1\r\n" + tag + b" OK done\r\n")
                connection.recv(4096)
                try:
                    for _time in range(1 << 20):
                        connection.sendall(script)
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(20)


def test_a_server_that_names_a_huge_length_is_not_believed(mail: MailServer, tmp_path: Path) -> None:
    with _liar(b"* 1 FETCH (BODY[] {%d}\r\n" % (READ_BYTES * 2)) as port:
        box = Mailbox(mail, "liar", tmp_path, port=port)

        with pytest.raises(UpdateSourceError, match="it sends more than is read"):
            box.source.fetch(etag="")


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"password": "mat-khau"}, LiteralSecret),
        ({"host": "mail.khanhhoa.example", "security": "none"}, ConfigurationError),
        ({"units": {"so-y-te": "so-y-te"}}, ConfigurationError),
        ({"units": {"@": "so-y-te"}}, ConfigurationError),
        ({"days": 0}, ConfigurationError),
    ],
)
def test_settings_that_would_mislead_are_refused(
    mail: MailServer, tmp_path: Path, settings: dict[str, Any], error: type[ConfigurationError]
) -> None:
    with pytest.raises(error):
        Mailbox(mail, "x", tmp_path, **settings)


def _day(at_: int | None) -> str | None:
    return None if at_ is None else datetime.fromtimestamp(at_ / 1000, ZONE).date().isoformat()


def _evidence(result: UpdatesResult) -> Any:
    return result.polls[0].evidence
