"""Attacks on the other verdict: what was to be done and was not, hidden by whoever has the key."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.heads import Erasure
from portalops.model.runs import JobId, Plan
from tests.attacks.scene import DAYS, END, START, Auditor, Forger, Portal, faults
from tests.doubles import FixedClock

TUESDAY = "verify:daily-verify:2026-11-17"


def test_a_run_deleted_from_the_plans_past_is_missing(portal: Portal, auditor: Auditor) -> None:
    """Root signs everything anew, so that nothing is changed as far as the ledger itself can tell."""
    forger = Forger.of(portal)
    forger.entries = [each for each in forger.entries if each.run != TUESDAY]
    forger.write(portal.key)

    done = portal.verify()

    assert done.data["integrity"]["holds"] is True
    assert done.code == ExitCode.UNMET
    assert done.data["completeness"]["missing"] == [{"job": "daily-verify", "slot": "2026-11-17"}]
    assert portal.verify(*auditor.options("head")).code == ExitCode.INTEGRITY


def test_a_plan_changed_to_hide_a_missing_run_is_not_what_the_auditor_holds(portal: Portal, auditor: Auditor) -> None:
    forger = Forger.of(portal)
    forger.entries = [each for each in forger.entries if not each.run.startswith("verify:")]
    place = forger.find("plan")
    plan = bodies.decode_part(forger.entries[place].blob, "plan", Plan)
    assert plan is not None
    without = Plan(
        tuple(job for job in plan.jobs if job.id != "daily-verify"), plan.rulebook, plan.configuration, plan.timezone
    )
    forger.entries[place] = forger.entries[place].holding(plan=without)
    forger.write(portal.key)

    assert portal.verify().code == ExitCode.OK  # the key alone proves nothing

    done = portal.verify(*auditor.options("head"))
    assert done.code == ExitCode.INTEGRITY
    assert any(
        "rewritten later" in line or "its end was cut off" in line for lines in faults(done).values() for line in lines
    )


def test_a_plan_changed_today_excuses_nothing_that_was_missed_before(portal: Portal) -> None:
    """The honest way: three days pass, then the job is taken out of the configuration and portalops runs again."""
    path = portal.folder / "portalops.toml"
    path.write_text(path.read_text().replace('[[job]]\nid = "daily-verify"\nkind = "verify"\nevery = "day"\n', ""))
    later = START + timedelta(days=DAYS + 3)
    assert portal.call("run", at=later).code in {ExitCode.OK, ExitCode.UNMET}

    done = portal.verify(at=later + timedelta(days=5))

    assert done.code == ExitCode.UNMET
    missing = {each["slot"] for each in done.data["completeness"]["missing"] if each["job"] == "daily-verify"}
    assert missing == {"2026-11-26", "2026-11-27", "2026-11-28"}


def test_a_start_without_an_end_is_a_crashed_run(portal: Portal) -> None:
    forger = Forger.of(portal)
    place = next(at for at, each in enumerate(forger.entries) if each.run == TUESDAY and each.kind == "verify.finished")
    del forger.entries[place]
    forger.write(portal.key)

    done = portal.verify()

    assert [run["id"] for run in done.data["completeness"]["crashed"]] == [TUESDAY]


def test_an_end_without_a_start_is_told(portal: Portal) -> None:
    forger = Forger.of(portal)
    place = next(at for at, each in enumerate(forger.entries) if each.run == TUESDAY and each.kind == "verify.started")
    del forger.entries[place]
    forger.write(portal.key)

    done = portal.verify()

    assert done.code == ExitCode.UNMET
    assert done.data["completeness"]["unbegun"] == [place + 1]


@pytest.mark.parametrize("kind", ["plan", "head", "key.added", "ledger.created"])
def test_what_is_needed_to_judge_cannot_be_erased(portal: Portal, kind: str) -> None:
    """The details are removed and said to be erased, and that is recorded in due form."""
    forger = Forger.of(portal)
    place = forger.find(kind)
    body = forger.entries[place].body
    ledger = Ledger.open(portal.state, FixedClock(END), create=True)
    ledger.append("blob.erased", run=NO_RUN, body=bodies.write({"erased": Erasure(body, "personal data", "somebody")}))
    ledger.close()
    (portal.state / "blobs" / body[:2] / body[2:4] / f"{body}.zst").unlink()

    done = portal.verify()

    assert done.code == ExitCode.INTEGRITY, done.text[:800]
    assert any("missing" in line for line in faults(done)[place + 1]), faults(done)


def test_erased_heads_are_no_way_to_be_without_them(portal: Portal) -> None:
    """Without the key: the heads' details are removed, called erased, and the chain is made anew behind the first backup."""
    forger = Forger.of(portal)
    heads = [each.body for each in forger.entries if each.kind == "head"]
    last = forger.entries[-1]
    forger.entries = [each for each in forger.entries if not each.run.startswith("10.2:weekly-backup:2026-W47")]

    for head in heads:
        erased = Erasure(head, "personal data", "somebody")
        forger.entries.append(
            replace(last, kind="blob.erased", run="", subject="", duty="", head=None).holding(erased=erased)
        )
    forger.write()
    for head in heads:
        (portal.state / "blobs" / head[:2] / head[2:4] / f"{head}.zst").unlink()

    assert portal.verify().code == ExitCode.INTEGRITY


def test_a_job_renamed_every_day_is_never_missing_and_every_plan_is_there_to_be_read(portal: Portal) -> None:
    """The limit of this verdict: a day counts that lies wholly within one plan. The duties don't rest on plans."""
    forger = Forger.of(portal)
    place = forger.find("plan")
    plan = bodies.decode_part(forger.entries[place].blob, "plan", Plan)
    assert plan is not None
    forger.entries = [each for each in forger.entries if not each.run.startswith("verify:")]
    for day in range(DAYS):
        noon = START + timedelta(days=day, hours=4)
        jobs = tuple(replace(job, id=JobId(f"{job.id}-{day}")) for job in plan.jobs)
        entry = replace(forger.entries[place], at=noon).holding(plan=replace(plan, jobs=jobs))
        behind = next((at for at, each in enumerate(forger.entries) if each.at > noon), len(forger.entries))
        forger.entries.insert(behind, entry)
    forger.write(portal.key)

    done = portal.verify()

    assert done.data["completeness"]["missing"] == []
    assert len(portal.call("ledger", "show", "--kind", "plan", "--last", "99", at=END).data) > DAYS
    assert portal.call("status", at=END).code == ExitCode.UNMET
