"""What a Department makes of the bundles of its sites: verified, held to what was taken before, and judged here."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from commands.jobs.federation import COLLECTED
from portalops import bodies
from portalops.calendar import load as load_calendar
from portalops.compliance import Situation, judge
from portalops.config.shape import NameTable
from portalops.errors import ConfigurationError, ExitCode, IntegrityError, UsageError
from portalops.federation.judging import Rules
from portalops.federation.polling import poll_site
from portalops.federation.rules import SiteVerdict
from portalops.federation.shown import bounded
from portalops.federation.sites.folder import FolderSite, Settings
from portalops.federation.state import State
from portalops.ledger.bundle.zip_file import pack
from portalops.ledger.claimant import record_writer
from portalops.ledger.heads import NAMESPACE, introduce_key
from portalops.locale import render
from portalops.model.message import Message, nmsg
from portalops.model.organisation import Host, HostId
from portalops.model.writers import Authority, WriterEvent, WriterState
from portalops.registers.evidence import read_evidence
from portalops.signatures.sshsig import verify
from tests.accounts import as_ordinary_user
from tests.conformance.claims import PERSON, append, claim, enrol
from tests.conformance.quarantines import quarantine
from tests.doubles import FixedClock
from tests.federation.department import NOW, RULEBOOK, WEEK, Department, SiteLedger, verdicts
from tests.ledger.bundle.bundles import key_of, resign
from tests.ledger.ledgers import ZONE
from tests.witness.hosts import done


@pytest.fixture
def department(tmp_path: Path) -> Department:
    return Department(tmp_path / "department")


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> SiteLedger:
    """A site whose server was checked on each day of a week: written once, and copied before anything is done to it."""
    return SiteLedger(tmp_path_factory.mktemp("original")).checked()


@pytest.fixture
def site(original: SiteLedger, tmp_path: Path) -> SiteLedger:
    return original.copied(tmp_path / "kh")


@pytest.fixture
def folder(department: Department, site: SiteLedger) -> Path:
    """Where the bundles of the one site come to."""
    return department.has("kh", site.fingerprint)


def test_a_site_is_judged_from_its_records_as_it_judges_itself(
    department: Department, site: SiteLedger, folder: Path
) -> None:
    site.export(folder / "2026-W48")
    code, found = department.collect()
    kh = found["kh"]
    assert (kh["verdict"], kh["late"], kh["complete"]) == ("verified", False, True), kh
    ledger, calendar = site.written.ledger, load_calendar(None)
    evidence = read_evidence(ledger, WEEK, now=site.clock.at, zone=ZONE)
    own = judge(Situation(RULEBOOK, evidence, (Host(HostId("web1"), ""),), (), calendar))
    assert verdicts(kh) == {each.duty: each.verdict for each in own}
    assert "met" in verdicts(kh).values()
    assert code == 1, "nothing was ever backed up"


def test_a_check_that_fails_and_a_server_that_was_never_looked_at_are_not_met(
    department: Department, tmp_path: Path
) -> None:
    good, bad, less = (SiteLedger(tmp_path / name, number) for number, name in enumerate(("good", "bad", "less"), 1))
    duty = next(duty for duty in RULEBOOK.duties if duty.rule == "checks")
    for each, failing in ((good, ""), (bad, duty.checks[0]), (less, "")):
        each.checked(2, failing=failing).export(department.has(each.folder.name, each.fingerprint))
    department.has("less", less.fingerprint, hosts=["web1", "web2"])
    _code, found = department.collect()
    said = {name: verdicts(site)[duty.id] for name, site in found.items()}
    assert said == {"good": "met", "bad": "unmet", "less": "insufficient-evidence"}


def test_what_was_found_is_recorded_with_the_heads(department: Department, site: SiteLedger, folder: Path) -> None:
    bundle = site.export(folder / "w48")
    department.has("ph", key_of(7).public_key)
    department.collect()
    (record,) = department.ledger.records(kinds=(COLLECTED,))
    body: dict[str, Any] = json.loads(department.ledger.blob(record.body))["federation"]
    assert body["rulebook"] == RULEBOOK.edition
    kh, ph = body["sites"]
    (head,) = kh["heads"]
    newest = max((bundle / "heads").glob("*.txt"))
    assert head["head"] == {"text": newest.read_text(), "signature": newest.with_suffix(".sig").read_text()}
    assert (ph["verdict"], ph["heads"], ph["duties"]) == ("missing", [], {})
    department.collect("--dry-run")
    assert len(list(department.ledger.records(kinds=(COLLECTED,)))) == 1


def test_late_heads_come_first_and_a_site_without_any_before_them(department: Department, tmp_path: Path) -> None:
    for number, (name, days) in enumerate((("new", 4), ("late", 2), ("later", 1)), 1):
        site = SiteLedger(tmp_path / name, number).checked(days)
        site.export(department.has(name, site.fingerprint, max_age_days=5))
    department.has("none", key_of(9).public_key)
    code, found = department.collect()
    assert list(found) == ["none", "later", "late", "new"]
    assert [each["late"] for each in found.values()] == [False, True, True, False]
    assert found["none"]["verdict"] == "missing" and found["none"]["duties"] == []
    assert code == 1


def test_a_bundle_of_an_old_period_is_late_however_new_its_head_is(
    department: Department, site: SiteLedger, folder: Path
) -> None:
    department.has("kh", site.fingerprint, max_age_days=30)
    site.export(folder)
    department.clock.move(timedelta(days=29))
    assert department.collect("--dry-run")[1]["kh"]["late"] is True
    site.clock.move(timedelta(days=29))
    shutil.rmtree(folder)
    site.export(folder)
    kh = department.collect()[1]["kh"]
    assert kh["late"] is True and kh["head"]["at"].startswith("2026-12-29")


@pytest.mark.parametrize("name", ["ledger.jsonl", "figures.json", "blobs", "bundle.json", "report.vi.html"])
def test_a_flipped_byte_leaves_nothing_known(department: Department, site: SiteLedger, folder: Path, name: str) -> None:
    bundle = site.export(folder)
    path = max((bundle / name).iterdir()) if name == "blobs" else bundle / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    code, found = department.collect()
    kh = found["kh"]
    assert (code, kh["verdict"], kh["reason"], kh["duties"]) == (5, "refused", "changed", [])
    assert not (department.folder / "state" / "federation" / "kh").exists(), "nothing of it is held to later"


def test_a_report_and_figures_that_were_exchanged_by_the_site_itself_say_nothing(
    department: Department, site: SiteLedger, folder: Path
) -> None:
    bundle = site.export(folder)
    (bundle / "report.vi.html").write_text("<!doctype html><title>100 % đạt</title>")
    resign(bundle, site.key)
    before = verdicts(department.collect("--dry-run")[1]["kh"])
    assert before["12.4-testing"] == "met" and "unmet" in before.values()
    figures = json.loads((bundle / "figures.json").read_bytes())
    figures["runs"]["check"]["missing"] = 0
    figures["runs"]["check"]["complete"] = 99
    (bundle / "figures.json").write_bytes(bodies.write(figures))
    resign(bundle, site.key)
    assert department.collect()[1]["kh"]["verdict"] == "refused"


def test_a_stranger_s_ledger_is_refused_and_the_key_is_named(department: Department, tmp_path: Path) -> None:
    stranger = SiteLedger(tmp_path / "x", 5).checked(1)
    for site, key in (("kh", SiteLedger(tmp_path / "y", 1).fingerprint), ("ph", key_of(2).public_key)):
        stranger.export(department.has(site, key))
    code, found = department.collect()
    assert code == 5
    assert {each["reason"] for each in found.values()} == {"stranger"}
    assert stranger.fingerprint in found["kh"]["problem"]


def test_a_key_that_was_handed_on_is_taken(department: Department, site: SiteLedger, folder: Path) -> None:
    from portalops.ledger.heads import rotate_key  # here alone

    site.written.head()
    rotate_key(site.written.ledger, site.key, key_of(3), reason="a year is over", clock=site.clock)
    site.written.key = key_of(3)
    site.export(folder)
    assert department.collect()[1]["kh"]["verdict"] == "verified"


def test_two_bundles_with_different_lines_at_one_size_are_a_fork(
    department: Department, site: SiteLedger, folder: Path, tmp_path: Path
) -> None:
    other = site.copied(tmp_path / "copy")
    site.written.append("note", note={"said": "one"})
    other.written.append("note", note={"said": "other"})
    site.export(folder / "a")
    other.export(folder / "b")
    code, found = department.collect()
    assert (code, found["kh"]["verdict"], found["kh"]["reason"]) == (5, "refused", "fork")
    assert found["kh"]["duties"] == []


def test_a_ledger_that_was_rewritten_behind_a_head_that_was_taken_is_a_fork(
    department: Department, site: SiteLedger, folder: Path, tmp_path: Path
) -> None:
    other = site.copied(tmp_path / "copy")
    site.export(folder / "a")
    assert department.collect()[1]["kh"]["verdict"] == "verified"
    shutil.rmtree(folder)
    other.written.append("note", note={"said": "other"})
    for _number in range(20):
        other.written.append("note", note={"said": "more"})
    other.export(folder / "a")
    code, found = department.collect()
    assert (code, found["kh"]["reason"]) == (5, "fork")
    taken, refused = (
        json.loads(department.ledger.blob(each.body))["federation"]["sites"][0]
        for each in department.ledger.records(kinds=(COLLECTED,))
    )
    pair = taken["heads"][0]["head"], refused["refused"]
    assert [verify(each["text"].encode(), each["signature"], NAMESPACE) for each in pair] == [site.key.public_key] * 2
    newest = max((folder / "a" / "heads").glob("*.txt")).read_text()
    assert refused["refused"]["text"] == newest, "both heads lie in the record for a third party to see"


def test_a_ledger_that_went_back_is_refused_and_its_newest_head_stays_kept(
    department: Department, site: SiteLedger, folder: Path
) -> None:
    site.export(folder / "old")
    kept = folder.parent / "kept"
    shutil.copytree(folder / "old", kept)
    site.written.append("note", note={"said": "more"})
    site.export(folder / "new")
    first = department.collect()[1]["kh"]
    shutil.rmtree(folder)
    kept.rename(folder)
    code, found = department.collect()
    kh = found["kh"]
    assert (code, kh["reason"]) == (5, "went-back")
    assert kh["head"] == first["head"], "the newest head that was seen is still the one that is shown"
    shutil.rmtree(folder)
    assert department.collect()[1]["kh"]["verdict"] == "missing"
    site.written.append("note", note={"said": "still more"})
    site.export(folder)
    assert department.collect()[1]["kh"]["verdict"] == "verified"


def test_a_new_ledger_in_place_of_the_old_one_is_refused(
    department: Department, site: SiteLedger, folder: Path, tmp_path: Path
) -> None:
    site.export(folder)
    department.collect()
    shutil.rmtree(folder)
    SiteLedger(tmp_path / "anew", 1).checked(1).export(folder)
    code, found = department.collect()
    assert (code, found["kh"]["reason"]) == (5, "other-ledger")
    department.has("kh", site.fingerprint, ledger="0" * 32)
    shutil.rmtree(department.folder / "state" / "federation")
    assert department.collect()[1]["kh"]["reason"] == "other-ledger"


def test_one_ledger_at_two_sites_is_refused_at_both(department: Department, site: SiteLedger, folder: Path) -> None:
    site.export(folder)
    other = department.has("ph", site.fingerprint)
    shutil.copytree(folder, other)
    code, found = department.collect()
    assert code == 5
    assert {each["reason"] for each in found.values()} == {"same-ledger"}
    assert "ph" in found["kh"]["problem"] and not found["kh"]["duties"]
    shutil.rmtree(other)
    assert department.collect()[1]["kh"]["verdict"] == "verified", "what was refused is not held against it"
    shutil.copytree(folder, other)
    assert department.collect()[0] == 5


def test_a_bundle_of_the_future_is_refused(department: Department, site: SiteLedger, folder: Path) -> None:
    site.export(folder)
    department.clock.at = site.clock.at - timedelta(minutes=6)
    assert department.collect()[1]["kh"]["reason"] == "time"


def test_what_is_withheld_is_never_met(department: Department, site: SiteLedger, folder: Path) -> None:
    newest = next(site.written.ledger.records(kinds=("check.finished",), newest_first=True)).body
    site.export(folder, withheld={newest: "cá nhân"})
    kh = department.collect()[1]["kh"]
    assert (kh["verdict"], kh["withheld"]) == ("verified", 1)
    duty = next(duty for duty in RULEBOOK.duties if duty.rule == "checks")
    assert verdicts(kh)[duty.id] == "insufficient-evidence"


def test_a_newer_bundle_is_taken_beside_the_old_ones_and_those_are_not_read_again(
    department: Department, site: SiteLedger, folder: Path
) -> None:
    site.export(folder / "a")
    first = department.collect()[1]["kh"]["head"]["size"]
    site.written.append("note", note={"said": "more"})
    site.export(folder / "b")
    second = department.collect()[1]["kh"]
    assert second["head"]["size"] > first and second["bundle"].endswith("/b")
    (folder / "a" / "ledger.jsonl").write_bytes(b"")
    assert department.collect()[1]["kh"]["verdict"] == "verified"


def test_heads_that_a_witness_keeps_are_led_over_or_the_bundle_is_refused(
    department: Department, site: SiteLedger, folder: Path, tmp_path: Path
) -> None:
    other = site.copied(tmp_path / "copy")
    site.written.append("note", note={"said": "one"})
    site.export(tmp_path / "w")
    department.has("kh", site.fingerprint, witness="kh-heads")
    heads = tmp_path / "heads"
    heads.mkdir()
    newest = max((tmp_path / "w" / "heads").glob("*.txt"))
    shutil.copy(newest, heads)
    shutil.copy(newest.with_suffix(".sig"), heads)
    watched = (
        f'[[witness.ledger]]\nid = "kh-heads"\nkind = "folder"\nfolder = "{heads}"\nkey = "{site.key.public_key}"\n'
    )
    department.with_more(watched)
    from tests.witness.hosts import done  # here alone

    done(department.config, "watch-remote", clock=department.clock)
    assert department.collect("--dry-run")[1]["kh"]["head"]["code"], (
        "the witness's head is shown though no bundle has arrived"
    )
    shutil.copytree(tmp_path / "w", folder)
    assert department.collect("--dry-run")[1]["kh"]["verdict"] == "verified"
    shutil.rmtree(folder)
    for said in ("two", "three", "four", "five"):
        other.written.append("note", note={"said": said})
    other.export(folder)
    code, found = department.collect()
    assert (code, found["kh"]["reason"]) == (5, "fork")


def test_hostile_folders_are_bounded_and_named(department: Department, site: SiteLedger, folder: Path) -> None:
    site.export(folder / "a")
    (folder / "b\n\x1b[31mRED").mkdir()
    (folder / "b\n\x1b[31mRED" / "bundle.json").write_bytes(b"{}")
    (folder / "pipe").mkdir()
    os.mkfifo(folder / "pipe" / "bundle.json")
    (folder / "link").symlink_to(folder / "a")
    (folder / "loop").symlink_to(folder)
    (folder / "file").write_bytes(b"")
    with (folder / "b\n\x1b[31mRED" / "ledger.jsonl").open("wb") as file:
        file.truncate(1 << 40)
    _code, found = department.collect()
    kh = found["kh"]
    assert kh["verdict"] == "verified", kh
    assert len(kh["notes"]) == 2 and all("\x1b" not in note and "\n" not in note for note in kh["notes"])


def test_a_description_without_end_and_a_folder_that_may_not_be_read_are_unknown(
    department: Department, site: SiteLedger, folder: Path
) -> None:
    bundle = site.export(folder)
    with (bundle / "bundle.json").open("ab") as file:
        file.truncate(1 << 40)
    kh = department.collect()[1]["kh"]
    assert (kh["verdict"], kh["duties"]) == ("unreadable", []) and "larger than 100 GiB" in kh["problem"]
    other = department.has("ph", key_of(8).public_key)
    other.write_text("no folder")
    assert department.collect()[1]["ph"]["verdict"] == "unreadable"


def test_a_bundle_that_this_account_may_not_read_is_not_passed_over_as_if_none_had_come() -> None:
    name, rules = NameTable(vi="Khánh Hòa"), Rules(RULEBOOK, load_calendar(), FixedClock(NOW))
    with as_ordinary_user() as folder:
        (folder / "2026-11").mkdir(mode=0)
        site = FolderSite("kh", Settings(name=name, folder=folder, keys=(key_of(1).public_key,)))
        found = poll_site(site, State(), rules)
    assert found.verdict is SiteVerdict.UNREADABLE and "Permission denied" in str(found.problem)


@pytest.mark.heavy
def test_thirty_four_sites_are_collected_within_seconds(department: Department, tmp_path: Path) -> None:
    import time  # here alone

    for number in range(34):
        site = SiteLedger(tmp_path / f"s{number}", number + 1)
        site.export(department.has(f"s{number:02}", site.fingerprint))
    began = time.monotonic()
    _code, found = department.collect()
    assert {each["verdict"] for each in found.values()} == {"verified"}
    assert time.monotonic() - began < 30


@pytest.mark.heavy
def test_the_overview_is_written_in_the_format_that_its_name_asks_for(
    department: Department, site: SiteLedger, folder: Path, tmp_path: Path
) -> None:
    site.export(folder)
    department.collect("--output", str(tmp_path / "o.html"))
    page = (tmp_path / "o.html").read_text()
    assert "Tỉnh kh" in page and site.fingerprint not in page
    for name in ("o.json", "o.md", "o.csv"):
        department.collect("--dry-run", "--output", str(tmp_path / name))
        assert (tmp_path / name).stat().st_size
    with pytest.raises(UsageError, match="no format has this ending"):
        department.collect("--output", str(tmp_path / "o.exe"))


def test_a_configuration_without_sites_or_with_an_unknown_witness_is_told(department: Department) -> None:
    with pytest.raises(ConfigurationError, match="no site is configured"):
        department.collect()
    department.has("kh", key_of(1).public_key, witness="nobody")
    with pytest.raises(ConfigurationError, match=r"portalops\.toml:\d+: site kh names the witness nobody"):
        department.collect()
    department.has("kh", "SHA256:short")
    with pytest.raises(ConfigurationError, match="keys"):
        department.collect()
    department.has("kh", [])
    with pytest.raises(ConfigurationError, match="keys"):
        department.collect()


def test_what_is_known_of_a_site_and_cannot_be_read_stops_the_collecting(
    department: Department, site: SiteLedger, folder: Path
) -> None:
    site.export(folder)
    department.collect()
    state = department.folder / "state" / "federation" / "kh" / "state.json"
    state.write_bytes(b"{}")
    with pytest.raises(IntegrityError, match="cannot be read"):
        department.collect()
    assert len(list(department.ledger.records(kinds=(COLLECTED,)))) == 1


def test_records_that_nobody_can_judge_leave_the_site_unknown_and_the_others_judged(
    department: Department, tmp_path: Path
) -> None:
    odd, good = SiteLedger(tmp_path / "odd", 1), SiteLedger(tmp_path / "good", 2).checked(2)
    run = "11:collect:2026-11-26"
    odd.written.append("updates.started", run)
    week = {"week": {"year": 9999, "number": 53}, "unit": "so", "verdict": "met"}
    odd.written.append("updates.finished", run, run={"outcome": "complete"}, updates={"unit_weeks": [week]})
    for each in (odd.checked(1), good):
        each.export(department.has(each.folder.name, each.fingerprint))
    _code, found = department.collect()
    assert "met" not in {verdicts(found["odd"])[duty.id] for duty in RULEBOOK.duties if duty.rule == "portal-daily"}
    assert "met" in verdicts(found["good"]).values()


def test_words_from_a_site_s_records_do_no_harm_where_they_are_shown(department: Department, tmp_path: Path) -> None:
    for number, text in enumerate(
        ("\x1b[2J{gone}", "{x.__class__}", "{x!r:>99999999}", "{", "<script>alert(1)</script>"), 1
    ):
        site = SiteLedger(tmp_path / f"s{number}", number).checked(
            1, unreached=Message(text, {"x": "\x1b]0;title\x07"})
        )
        site.export(department.has(f"s{number}", site.fingerprint))
    _code, found = department.collect("--output", str(tmp_path / "o.html"))
    assert {each["verdict"] for each in found.values()} == {"verified"}
    said, page = json.dumps(found), (tmp_path / "o.html").read_text()
    assert "\\u001b" not in said and "\x1b" not in page and "<script>alert" not in page


@pytest.mark.parametrize(
    "message",
    [
        Message("{gone}", {"x": 1}),
        Message("{x.__class__.__mro__}", {"x": "a"}),
        Message("{x[0]}", {"x": "a"}),
        Message("{x!r}", {"x": "a"}),
        Message("{x:>9999999999}", {"x": "a"}),
        Message("{0} {}", {"x": "a"}),
        Message("{", {"x": "a"}),
        Message("a\x07b"),
        Message("{n} a", {"n": 2}, "{n} {gone}"),
        Message("{x}", {"x": datetime.max.replace(tzinfo=UTC)}),
        Message("{x}", {"x": date.min}),
        Message("{x}", {"x": 10**4000}),
        Message("{x}", {"x": Message("{y}", {"z": Message("\x1b")})}),
        Message("{x}" * 1000, {"x": "a" * 10_000}),
    ],
)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_any_sentence_can_be_shown_in_a_few_lines(message: Message, language: str) -> None:
    shown = render(bounded(message), language, zone=ZONE)
    assert shown.isprintable() and len(shown) < 3000
    assert str(bounded(message))


def test_own_sentences_stay_as_they_are() -> None:
    message = nmsg("{n} unit fell short", "{n} units fell short", 3)
    assert bounded(message) == message


def test_configuration_that_names_no_such_witness_is_told_by_config_check_too(department: Department) -> None:
    department.has("kh", key_of(1).public_key, witness="nobody")
    wrong = done(department.config, "config", "check", clock=department.clock)
    assert wrong.exit_code == ExitCode.CONFIGURATION and "names the witness nobody" in str(wrong.data)
    department.has("kh", key_of(1).public_key)
    right = done(department.config, "config", "check", clock=department.clock)
    assert right.exit_code == ExitCode.OK and not right.warnings


def test_moments_of_this_test_lie_as_they_should() -> None:
    assert WEEK.bounds(ZONE)[1] < NOW


def test_what_no_writer_claims_meets_no_duty_of_a_site(tmp_path: Path, department: Department) -> None:
    site = SiteLedger(tmp_path / "kh")
    event = WriterEvent(site.written.ledger.id, WriterState.ADDED, key_of(7).public_key, "web1", Authority.ALL)
    introduce_key(site.written.ledger, site.key)
    record_writer(site.written.ledger, event, site.key)
    site.checked()  # by nobody
    folder = department.has("kh", site.fingerprint)
    site.export(folder / "one")

    _code, found = department.collect()

    one = found["kh"]
    assert one["verdict"] == "verified"
    assert "met" not in verdicts(one).values()
    assert any("no writer claims" in note for note in one["notes"])


def test_what_is_set_aside_for_the_want_of_details_that_are_left_out_is_named(
    department: Department, site: SiteLedger, folder: Path
) -> None:
    written = site.written
    introduce_key(written.ledger, site.key)
    enrol(written, PERSON, "an")
    record = append(written, "incident.opened", incident={"id": "x"})
    claim(written, PERSON, record)
    enrol(written, PERSON, "an", state=WriterState.ENDED)
    quarantine(written, record.seq, record.seq, ledger=written.ledger.id)
    site.export(folder / "one", withheld={record.body: "names"})

    _code, found = department.collect()

    assert any(f"sets records {record.seq} to {record.seq} aside" in note for note in found["kh"]["notes"])


@pytest.mark.parametrize("top", ["bundle", ""], ids=["in_a_folder", "files_alone"])
def test_a_zip_file_is_read_like_the_folder_that_it_holds(
    department: Department, site: SiteLedger, folder: Path, top: str
) -> None:
    bundle = site.export(folder / "plain")
    _code, of_folder = department.collect()
    with (folder / "2026-W48.ZIP").open("wb") as file:
        pack(bundle, file, top)
    shutil.rmtree(bundle)

    _code, of_zip = department.collect()

    assert of_zip["kh"]["verdict"] == "verified", of_zip["kh"]
    assert of_zip["kh"]["head"] == of_folder["kh"]["head"]
    assert verdicts(of_zip["kh"]) == verdicts(of_folder["kh"])


def test_a_zip_file_that_unpacks_to_too_much_is_not_unpacked(department: Department, site: SiteLedger) -> None:
    folder = department.has("kh", site.fingerprint, max_gib=1)
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("bundle.json", "ledger.jsonl", "SHA256SUMS"):
            file.writestr(name, b"")
    data = bytearray((folder / "bomb.zip").read_bytes())
    length = data.rindex(b"PK\1\2") + 24  # of the last entry, as the list states it
    data[length : length + 4] = (0xFFFFFFF0).to_bytes(4, "little")
    (folder / "bomb.zip").write_bytes(data)

    _code, found = department.collect()

    assert found["kh"]["verdict"] == "unreadable"
    assert "larger than 1 GiB" in found["kh"]["problem"]


def test_a_zip_file_that_is_none_or_a_link_is_no_bundle(
    department: Department, site: SiteLedger, folder: Path, tmp_path: Path
) -> None:
    site.export(folder / "plain")
    (folder / "half.zip").write_bytes(b"PK")
    (folder / "link.zip").symlink_to(tmp_path)

    _code, found = department.collect()

    assert found["kh"]["verdict"] == "verified"
    assert len(found["kh"]["notes"]) == 1 and "half.zip" in found["kh"]["notes"][0]
