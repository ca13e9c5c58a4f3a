"""Demands of configurations as they are met with, for tests of the schedule."""

from __future__ import annotations

from dataclasses import replace

from portalops.model.runs import Every, Job, JobId, JobKind
from portalops.schedule.plan import Demands, ServiceCredential


def job(kind: JobKind, every: Every = Every.DAY) -> Job:
    return Job(JobId(f"daily-{kind.value}"), kind, every)


SMALL = Demands(
    program="/usr/local/bin/portalops",
    config="/etc/portalops/portalops.toml",
    user="portalops",
    every_minutes=15,
    random_delay_minutes=1,
    jobs=(job(JobKind.UPDATES), job(JobKind.REPORT, Every.WEEK)),
    writes=("/var/lib/portalops",),
)
"""A portal that only looks at pages and writes reports."""

WHOLE = replace(
    SMALL,
    jobs=tuple(job(kind) for kind in JobKind),
    may_write=("/srv/copies", "/srv/đĩa sao lưu"),
    devices=("/dev/nst0",),
    credentials=(
        ServiceCredential("smtp", "/etc/portalops/credentials/smtp"),
        ServiceCredential("s3", "/etc/portalops/credentials/s3.cred", is_encrypted=True),
    ),
    reads_this_machine=True,
    checks_this_machine=True,
    watches=True,
    works=True,
    sources_in_homes=True,
)
"""All that there is."""
