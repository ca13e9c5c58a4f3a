"""A drill on a recovery host, whose ledger knows no set, and what its report is worth on the portal's host."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.model.backups import CopyState, SetId, VerifyLevel
from portalops.signatures.sshsig import fingerprint
from tests.backups.postgresql.parts import PORT, Server, fill, short_folder, versions
from tests.commands.recovery import Pair, known, new_pair, read, signed, take_up


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return new_pair(tmp_path)


def test_a_drill_done_elsewhere_counts_on_the_portals_host_and_says_whose_it_is(pair: Pair) -> None:
    path = pair.drill()

    done = pair.portal.call("backup", "drill", "--import", str(path))

    assert done.code == ExitCode.OK, done
    assert (done.data["host"], done.data["signed_by"]) == ("recovery-1", fingerprint(pair.recovery.key.public_key))
    assert [(each["id"], each["level"], each["asked"]) for each in done.data["trials"]] == [
        ("articles/database", "L4", "1 table, 40 rows, integrity_check")
    ]
    made = known(pair)
    assert (made.copies[0].state, made.copies[0].level) == (CopyState.VERIFIED, VerifyLevel.L4)
    shown = pair.portal.call("backup", "show", "latest")
    by = {each["level"]: each["by"] for each in shown.data["copies"][0]["readings"]}
    assert by["L4"] == by["L2"] == fingerprint(pair.recovery.key.public_key)
    (body,) = pair.portal.bodies("drill.imported")
    assert body["drill_report"]["text"] == path.read_text(encoding="utf-8"), "the evidence is the report, byte for byte"


def test_the_record_alone_lets_stock_ssh_keygen_tell_who_signed(pair: Pair, tmp_path: Path) -> None:
    assert take_up(pair, pair.drill()) == ExitCode.OK
    (body,) = pair.portal.bodies("drill.imported")
    (tmp_path / "text").write_text(body["drill_report"]["text"], encoding="utf-8")
    (tmp_path / "text.sig").write_text(body["drill_report"]["signature"])
    (tmp_path / "signers").write_text(f"recovery {pair.recovery.key.public_key}\n")

    command = ["ssh-keygen", "-Y", "verify", "-f", tmp_path / "signers", "-I", "recovery", "-n", "portalops-drill"]
    done = subprocess.run(
        [*map(str, command), "-s", str(tmp_path / "text.sig")],
        input=(tmp_path / "text").read_bytes(),
        capture_output=True,
        check=False,
    )

    assert done.returncode == 0, done
    assert b'Good "portalops-drill" signature for recovery' in done.stdout


def test_a_recovery_host_is_not_told_that_its_ledger_may_be_lost(pair: Pair) -> None:
    done = pair.recovery.call("backup", "drill")

    assert done.code == ExitCode.OK, done
    assert "does not know" not in done.text


def test_the_recovery_host_keeps_the_drill_in_its_own_ledger_and_the_report_names_the_record(pair: Pair) -> None:
    report = read(pair.drill()).report

    ledger = Ledger.open(pair.recovery.folder / "state", pair.recovery.clock, create=False)
    record = next(ledger.records(kinds=("drill.finished",)))
    assert (report.ledger, report.record) == (ledger.id, record.seq)
    import hashlib

    assert hashlib.sha256(record.line).hexdigest() == report.record_sha256
    assert report.bag_sha256 == known(pair).set.bag_sha256
    ledger.close()
    assert pair.recovery.call("ledger", "verify").code == ExitCode.OK


def test_the_scheduled_job_leaves_its_report_in_the_configured_folder(pair: Pair) -> None:
    assert pair.recovery.call("run").code in {ExitCode.OK, ExitCode.PARTIAL}
    pair.pass_time(timedelta(minutes=5))

    (path,) = (pair.recovery.folder / "outbox").glob("*.json")

    assert path.name.startswith("drill-20261116T0")
    assert take_up(pair, path) == ExitCode.OK


def test_a_report_is_taken_up_once(pair: Pair) -> None:
    path = pair.drill()
    assert take_up(pair, path) == ExitCode.OK

    again = pair.portal.call("backup", "drill", "--import", str(path))

    assert again.code == ExitCode.USAGE and "is recorded already, in record" in again.text
    assert len(pair.portal.bodies("drill.imported")) == 1


def test_an_older_drill_is_kept_and_changes_nothing_that_was_seen_since(pair: Pair) -> None:
    path = pair.drill()
    assert pair.portal.call("backup", "verify").code == ExitCode.OK
    before = known(pair).copies

    done = pair.portal.call("backup", "drill", "--import", str(path))

    assert done.code == ExitCode.OK and done.data["superseded"] is True
    assert "was verified again after that drill" in done.text
    made = known(pair)
    assert made.copies == before, "the reading that came later stands"
    at = {each.level: (each.at, bool(each.by)) for each in made.readings["disk-a"]}
    assert at[VerifyLevel.L4] == (read(path).copies[0].verified_at, True)
    assert at[VerifyLevel.L2] == (before[0].verified_at, False)


def test_a_drill_that_was_done_before_the_copy_was_found_damaged_makes_it_no_better(pair: Pair) -> None:
    path = pair.drill()
    pack = next((pair.medium() / known(pair).set.id / "data").rglob("*.age"))
    whole = pack.read_bytes()
    pack.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert pair.portal.call("backup", "verify").code == ExitCode.INTEGRITY

    assert take_up(pair, path) == ExitCode.OK

    made = known(pair)
    assert made.copies[0].state is CopyState.DAMAGED and made.readings["disk-a"] == ()


def test_damage_that_the_recovery_host_finds_counts_at_once(pair: Pair) -> None:
    pack = next((pair.medium() / known(pair).set.id / "data").rglob("*.age"))
    whole = pack.read_bytes()
    pack.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    path = pair.recovery.folder / "report.json"
    assert pair.recovery.call("backup", "drill", "--report", str(path)).code == ExitCode.INTEGRITY
    pair.pass_time(timedelta(minutes=1))

    assert take_up(pair, path) == ExitCode.INTEGRITY, "recorded, and it is bad"

    assert known(pair).copies[0].state is CopyState.DAMAGED
    standing = pair.portal.call("status", "10.2-content")
    assert standing.data[0]["verdict"] == "unmet"


def test_what_another_host_says_of_damage_is_bounded_and_escaped(pair: Pair, tmp_path: Path) -> None:
    drill = read(pair.drill())
    copy = replace(
        drill.report.drill.copies[0], state=CopyState.DAMAGED, verified_at=None, problem="\x1b[31m torn" * 9000
    )
    damaged = replace(drill.report.drill, copies=(copy,))

    assert take_up(pair, signed(tmp_path / "r.json", drill, pair.recovery.key, drill=damaged)) == ExitCode.INTEGRITY

    (known_copy,) = known(pair).copies
    assert known_copy.state is CopyState.DAMAGED
    assert len(known_copy.problem) < 1000 and known_copy.problem.isprintable()


def test_a_report_that_does_not_fit_the_ledger_is_refused(pair: Pair, tmp_path: Path) -> None:
    drill = read(pair.drill())
    report, key = drill.report, pair.recovery.key
    other = replace(report.drill, copies=(replace(report.drill.copies[0], medium="disk-z"),))
    elsewhere = replace(
        report.drill, copies=(replace(report.drill.copies[0], set_id=SetId("demo-20250101T000000Z-full-abc")),)
    )
    removed = replace(report.drill, copies=(replace(report.drill.copies[0], state=CopyState.DISPOSED),))
    unread = replace(report.drill, copies=(replace(report.drill.copies[0], verified_at=None),))
    untried = replace(report.drill, trials=())
    failed = replace(report.drill, trials=(replace(report.drill.trials[0], problems=("39 rows",)),))
    late = timedelta(days=400)
    cases: tuple[tuple[dict[str, object], str, ExitCode], ...] = (
        ({"bag_sha256": "c" * 64}, "is another set", ExitCode.INTEGRITY),
        ({"portal": "another"}, "of another portal", ExitCode.INTEGRITY),
        ({"set_id": elsewhere.copies[0].set_id, "drill": elsewhere}, "knows no backup set", ExitCode.INTEGRITY),
        ({"drill": other}, "is recorded on disk-z", ExitCode.USAGE),
        ({"started_at": report.started_at + late, "finished_at": report.finished_at + late}, "a clock is wrong", ExitCode.INTEGRITY),
        ({"started_at": report.started_at - late, "finished_at": report.finished_at - late}, "a clock is wrong", ExitCode.INTEGRITY),
        ({"record": -1}, "no ledger has a record", ExitCode.INTEGRITY),
        ({"record": 10**30}, "no ledger has a record", ExitCode.INTEGRITY),
        ({"started_at": report.finished_at, "finished_at": report.started_at - late}, "ended before it began", ExitCode.INTEGRITY),
        ({"started_at": report.finished_at + timedelta(seconds=1), "finished_at": report.finished_at + timedelta(seconds=2)}, "outside the time of the drill", ExitCode.INTEGRITY),
        ({"drill": removed}, "contradicts its own tests", ExitCode.INTEGRITY),
        ({"drill": unread}, "contradicts its own tests", ExitCode.INTEGRITY),
        ({"drill": untried}, "contradicts its own tests", ExitCode.INTEGRITY),
        ({"drill": failed}, "contradicts its own tests", ExitCode.INTEGRITY),
        ({"schema": "portalops.drill-report/9"}, "is not known to this version", ExitCode.INTEGRITY),
    )  # fmt: skip
    for number, (changes, words, code) in enumerate(cases):
        done = pair.portal.call(
            "backup", "drill", "--import", str(signed(tmp_path / f"{number}.json", drill, key, **changes))
        )
        assert (done.code, words in done.text) == (code, True), (changes, done.text)
    assert pair.portal.bodies("drill.imported") == []


def test_a_host_that_tells_two_stories_of_one_drill_is_refused(pair: Pair, tmp_path: Path) -> None:
    path = pair.drill()
    assert take_up(pair, path) == ExitCode.OK
    drill = read(path)
    better = replace(drill.report.drill, restore_ms=1)

    done = pair.portal.call(
        "backup", "drill", "--import", str(signed(tmp_path / "b.json", drill, pair.recovery.key, drill=better))
    )

    assert done.code == ExitCode.INTEGRITY and "another report of the same drill" in done.text


def test_without_a_trusted_host_nothing_is_taken_up(pair: Pair) -> None:
    pair.portal.configure(f'trusted = ["{pair.recovery.key.public_key}"]', "")

    done = pair.portal.call("backup", "drill", "--import", str(pair.drill()))

    assert done.code == ExitCode.USAGE and "backup.drill.trusted" in done.text


def test_a_recovery_host_without_a_key_of_its_own_writes_no_report(pair: Pair) -> None:
    pair.recovery.configure('[signing]\nkey = "signing"\n', "")
    path = pair.recovery.folder / "report.json"

    done = pair.recovery.call("backup", "drill", "--report", str(path))

    assert done.code == ExitCode.PARTIAL and "the drill's report was not written" in done.text
    assert not path.exists() and len(pair.recovery.bodies("drill.finished")) == 1


def test_without_a_private_key_nothing_is_looked_for(pair: Pair) -> None:
    pair.recovery.configure('identity = "operator.age"\n', "")
    (pair.recovery.folder / "allowed_signers").unlink()

    done = pair.recovery.call("backup", "drill")

    assert done.code == ExitCode.FAILED and "holds no private key" in done.text


def test_a_list_of_keys_that_sign_no_sets_is_refused(pair: Pair) -> None:
    path = pair.recovery.folder / "allowed_signers"
    path.write_text(path.read_text().replace("portalops-head,portalops-bundle,portalops-set", "portalops-head"))

    done = pair.recovery.call("backup", "drill")

    assert done.code == ExitCode.USAGE and "names no key that signs backup sets" in done.text


def test_a_dry_run_of_both_does_nothing(pair: Pair) -> None:
    assert pair.recovery.call("backup", "drill", "--dry-run").data == {"set": None, "medium": None}
    named = pair.recovery.call("backup", "drill", "latest", "--dry-run")
    assert named.data == {"set": known(pair).set.id, "medium": "disk-a"}
    assert not (pair.recovery.folder / "state" / "ledger.db").exists()
    both = pair.portal.call("backup", "drill", "latest", "--import", "x.json")
    assert both.code == ExitCode.USAGE and "goes with nothing else" in both.text


def test_the_report_shows_drills_with_their_times_and_by_whom(pair: Pair) -> None:
    assert take_up(pair, pair.drill()) == ExitCode.OK
    pair.pass_time(timedelta(days=1))

    out = pair.portal.folder / "out"
    pair.portal.call(
        "report", "build", "compliance", "--period", "2026-W47", "--format", "markdown", "--output", str(out)
    )

    page = next(out.glob("*.en.md")).read_text(encoding="utf-8")
    assert "Drills of the period: copies that were restored and tried out" in page
    assert "Drills of recovery-1: signed by the key" in page
    assert fingerprint(pair.recovery.key.public_key) in page
    assert "L4: restored and queried; read " in page
    pair.portal.call("report", "build", "backups", "--period", "2026-W47", "--format", "markdown", "--output", str(out))
    page = next(out.glob("*backups*.en.md")).read_text(encoding="utf-8")
    assert "What was restored, and what was tested" in page
    assert "1 table, 40 rows" in page
    assert fingerprint(pair.recovery.key.public_key) in page


@pytest.mark.heavy
def test_a_postgresql_server_is_drilled_elsewhere_in_a_throw_away_one_by_nobody(pair: Pair) -> None:
    with Server.new(versions()[0]) as server, short_folder() as scratch:
        fill(server)
        pair.portal.configure(
            'id = "articles"\nkind = "sqlite"\nclass = "content"\ndatabase = "articles.sqlite"',
            f'id = "portal-db"\nkind = "postgresql"\nclass = "content"\nhost = "{server.folder}"\nport = {PORT}\nuser = "postgres"\n'
            f'programs = "{server.tools.folder}"',
        )
        pair.pass_time(timedelta(days=7))
        done = pair.portal.call("backup", "run")
        assert done.code == ExitCode.OK, done.text
        pair.pass_time(timedelta(hours=1))
        scratch.chmod(0o711)
        pair.recovery.configure('folder = "scratch"', f'folder = "{scratch}"')

        path = pair.drill("latest")

        assert list(scratch.iterdir()) == [], "nothing of the portal's data stays on the recovery host"
    assert take_up(pair, path) == ExitCode.OK
    report = read(path).report
    assert {each.level for each in report.drill.trials} == {VerifyLevel.L4}, report.drill.trials
    assert any(each.asked.split()[0].isdigit() and "rows" in each.asked for each in report.drill.trials)
    assert report.drill.restore_ms >= 0 and report.drill.plain_bytes > 0
    assert known(pair).copies[0].level is VerifyLevel.L4
