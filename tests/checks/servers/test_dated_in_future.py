"""What a wrong clock dated ahead is not fresh: a check that takes age into account passes for no answer of the future."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from portalops.model.verdicts import CheckVerdict
from tests.checks.servers.samples import SAMPLES, Sample, read_sample

FAR = timedelta(days=400)
BY_TABLE = {"patching.os-eol", "patching.runtime-eol", "patching.cms-version", "change.order", "cred.registered"}
"""These hold a day against portalops's own dated tables, a bundle's or the ledger's records, not against what a host dates."""

PASSES = [
    read_sample(path)
    for path in sorted(SAMPLES.glob("*/pass*.txt"))
    if path.parent.name not in {"imports", "updates", *BY_TABLE}
]


@pytest.mark.parametrize("sample", PASSES, ids=str)
def test_answer_that_gets_too_old_is_not_believed_before_it_was_made(sample: Sample) -> None:
    if replace(sample, at=sample.at + FAR).judged().verdict is CheckVerdict.PASS:
        return  # no age is taken into account

    assert replace(sample, at=sample.at - FAR).judged().verdict is not CheckVerdict.PASS
