"""Where mail of the hosts goes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hosts import Hosts
from tests.installed import MailSink, mail_sink


@pytest.fixture
def sink(hosts: Hosts) -> Iterator[MailSink]:
    with mail_sink(hosts) as made:
        yield made
