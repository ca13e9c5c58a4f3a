"""Every check has a near miss and a harmless sample, and a row of each on whole hosts; or `unseeded.toml` says why not."""

from __future__ import annotations

import tomllib
from pathlib import Path

from checks.servers.catalogue import checks
from checks.servers.own import own_probes
from tests.checks.servers.matrix import ALL, seeds
from tests.checks.servers.samples import SEEDED, all_samples

UNSEEDED = tomllib.loads(Path(__file__).with_name("unseeded.toml").read_text("utf-8"))
DEBT = "not yet seeded"
MOST_DEBT = 106
"""How often that may be said; a commit that adds samples or rows lowers it, and none raises it."""


def wanted() -> set[tuple[str, str]]:
    """Return check and kind of all that there has to be; own records need no host."""
    every = {one.id: {each.id for each in one.needs} <= own_probes() for one in checks()}
    rows = {(name, f"{kind}-row") for name, is_own in every.items() if not is_own for kind in SEEDED}
    return rows | {(name, kind) for name in every for kind in SEEDED}


def there() -> set[tuple[str, str]]:
    """Return check and kind of all that is seeded."""
    samples = {(one.check, one.kind) for one in all_samples() if one.kind in SEEDED}
    return samples | {
        (one.check, f"{one.kind}-row") for release in ALL for rows in seeds(release).values() for one in rows
    }


def test_a_check_has_what_is_seeded_or_a_written_reason() -> None:
    reasons = {(check, kind) for check, each in UNSEEDED.items() for kind in each}

    assert wanted() - there() - reasons == set(), "neither seeded nor a reason in unseeded.toml"
    assert reasons & there() == set(), "seeded: take it out of unseeded.toml"
    assert reasons - wanted() == set(), "unseeded.toml names what there is not"


def test_a_reason_is_a_sentence_and_debt_only_falls() -> None:
    said = [reason for each in UNSEEDED.values() for reason in each.values()]

    assert all(reason == DEBT or (reason.endswith(".") and " " in reason) for reason in said)
    assert said.count(DEBT) <= MOST_DEBT
