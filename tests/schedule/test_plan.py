"""Each part of the schedule has the jobs that need its rights, and only the parts that a configuration needs are there."""

from __future__ import annotations

from dataclasses import replace

from portalops.model.runs import JobKind
from portalops.schedule.plan import SchedulePart, list_cron_parts, plan_services
from tests.schedule.plans import SMALL, WHOLE, job


def test_one_service_that_names_no_jobs_is_enough_where_all_need_the_same() -> None:
    [knock] = plan_services(SMALL)

    assert (knock.part, knock.jobs, knock.reads_all, knock.asks_probes) == (SchedulePart.REST, (), False, False)


def test_every_job_is_in_exactly_one_part() -> None:
    knocks = plan_services(WHOLE)

    assert sorted(name for knock in knocks for name in knock.jobs) == sorted(str(each.id) for each in WHOLE.jobs)
    assert [knock.part for knock in knocks] == list(SchedulePart)


def test_only_backups_may_read_what_belongs_to_others_and_only_where_they_read_this_machine() -> None:
    assert [knock.part for knock in plan_services(WHOLE) if knock.reads_all] == [SchedulePart.BACKUP]
    assert not any(knock.reads_all for knock in plan_services(replace(WHOLE, reads_this_machine=False)))


def test_drills_try_out_what_they_find_without_the_right_to_read_everything() -> None:
    drilling = next(knock for knock in plan_services(WHOLE) if "daily-drill" in knock.jobs)

    assert drilling.runs_servers and not drilling.reads_all and not drilling.asks_probes


def test_checks_of_other_hosts_need_no_root_here() -> None:
    knocks = plan_services(replace(WHOLE, checks_this_machine=False))

    assert not any(knock.asks_probes for knock in knocks)
    assert any(knock.part is SchedulePart.REST and "daily-check" in knock.jobs for knock in knocks)


def test_a_witness_without_jobs_gets_its_watch_alone() -> None:
    assert [knock.part for knock in plan_services(replace(WHOLE, jobs=(), works=False))] == [SchedulePart.WATCH]
    assert list(list_cron_parts(replace(WHOLE, jobs=()))) == [SchedulePart.WATCH]


def test_nothing_is_installed_where_nothing_is_planned() -> None:
    assert plan_services(replace(SMALL, jobs=())) == ()


def test_what_reads_only_homes_of_sources_does_not_open_them_to_the_others() -> None:
    seen = {knock.part for knock in plan_services(WHOLE) if knock.sees_homes}

    assert seen == {SchedulePart.BACKUP}
    assert all(knock.sees_homes for knock in plan_services(replace(WHOLE, in_homes=True)))


def test_one_kind_alone_names_no_jobs_so_that_one_added_later_is_done() -> None:
    [knock] = plan_services(replace(WHOLE, jobs=(job(JobKind.BACKUP),), watches=False, works=False))

    assert knock.jobs == () and knock.part is SchedulePart.BACKUP


def test_a_machine_of_a_cluster_gets_a_worker_beside_its_jobs_and_without_any() -> None:
    assert plan_services(replace(WHOLE, watches=False))[-1].part is SchedulePart.WORKER
    assert [knock.part for knock in plan_services(replace(SMALL, jobs=(), works=True))] == [SchedulePart.WORKER]
