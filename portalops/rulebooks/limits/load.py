"""From a rule set's data file to a `RuleSet`. `nd43` is `nd43.toml` in this folder: adding one is adding a file."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from portalops.model.organisation import Name
from portalops.model.timeliness import RuleSet, TimeLimit

_FOLDER = Path(__file__).parent


@cache
def rule_sets() -> tuple[str, ...]:
    """Return the ids of all rule sets, sorted."""
    return tuple(sorted(file.stem.replace("_", "-") for file in _FOLDER.glob("*.toml")))


@cache
def load_rule_set(rule_set_id: str) -> RuleSet:
    """Return a rule set.

    Raises:
        ValueError: this id does not exist.
    """
    if rule_set_id not in rule_sets():
        raise ValueError(f"there is no rule set {rule_set_id!r}")
    file = _FOLDER / f"{rule_set_id.replace('-', '_')}.toml"
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    return RuleSet(
        id=table["id"],
        version=table["version"],
        title=Name(**table["title"]),
        document=table["document"],
        notice=Name(**table["notice"]),
        valid_from=table["valid_from"],
        valid_to=table.get("valid_to"),
        limits=tuple(
            TimeLimit(tuple(row["kinds"]), row["working_days"], Name(**row["what"]), row.get("working_days_of_others"))
            for row in table["limit"]
        ),
    )
