"""What results say beside their verdict, where less was seen than the words could be taken for."""

from __future__ import annotations

import pytest

from tests.checks.servers.samples import SAMPLES, read_sample


@pytest.mark.parametrize(
    ("capture", "said"),
    [
        ("inventory.addresses/pass", "no outside scan has resolved the names of its pages"),
        ("run.availability/pass", "% of the sampled time"),
        ("change.order/pass-ahead", "no recorded change of this host has begun"),
        ("change.order/pass-not-made", "no recorded change of this host has begun"),
        ("secrets.readable/unknown-mounted-twice", "not searched: /var/www/nfs"),
    ],
)
def test_result_claims_no_more_than_was_seen(capture: str, said: str) -> None:
    message = str(read_sample(SAMPLES / f"{capture}.txt").judged().message)

    assert message.endswith(said)
