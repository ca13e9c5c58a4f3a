"""What results say beside their verdict, where less was seen than the words could be taken for."""

from __future__ import annotations

import pytest

from tests.checks.servers.samples import SAMPLES, read_sample


@pytest.mark.parametrize(
    ("capture", "said"),
    [
        ("inventory.addresses/pass", "where the names of its pages lead was not looked at from outside"),
        ("run.availability/pass", "of the time looked at, or more"),
        ("change.order/pass-ahead", "no change of this host that is on record was begun"),
        ("change.order/pass-not-made", "no change of this host that is on record was begun"),
        ("secrets.readable/unknown-mounted-twice", "not searched: /var/www/nfs"),
    ],
)
def test_result_claims_no_more_than_was_seen(capture: str, said: str) -> None:
    message = str(read_sample(SAMPLES / f"{capture}.txt").judged().message)

    assert message.endswith(said)
