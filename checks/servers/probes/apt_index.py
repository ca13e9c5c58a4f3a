"""Which package indexes the host really holds: `apt-get indextargets`, as apt-get(8) has it. Debian and Ubuntu.

Only indexes that were fetched are printed, so no line means that the lists are empty. The site is not asked for: its
address may hold a password. A field that the archive does not give comes back as its own name.

    Packages|trixie-security|trixie-security|stable-security|Debian|Debian-Security|main|amd64
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from checks.servers.probe import Output, Probe, Unparseable, shown
from checks.servers.redaction import PIPED
from portalops.model.message import msg


@dataclass(frozen=True, slots=True)
class Index:
    """One list of packages."""

    release: str
    """As the source names it."""
    codename: str
    suite: str
    origin: str
    label: str
    component: str = ""
    """Such as `main`; empty in an answer of before it was asked for, and where the archive has none."""
    architecture: str = ""

    @property
    def is_security(self) -> bool:
        """Say whether it is the maker's security archive."""
        if self.origin == "Debian":
            return self.label == "Debian-Security" or self.suite.endswith("-security")
        return self.origin == "Ubuntu" and (self.suite.endswith("-security") or self.release.endswith("-security"))


def without_security(indexes: Sequence[Index]) -> list[str]:
    """Return the components of a release that the host takes from a maker's archive, and not from its security archive: `main/amd64`.

    A release without any security archive counts as well: the host may have that of another one.
    """

    def parts(some: Iterable[Index]) -> set[tuple[str, str, str, str]]:
        return {
            (each.origin, each.codename.removesuffix("-security"), each.component, each.architecture) for each in some
        }

    security = [each for each in indexes if each.is_security]
    makers = {each.origin for each in security}
    usual = [each for each in indexes if not each.is_security and each.origin in makers and "-" not in each.codename]
    return sorted({f"{component}/{architecture}" for *_of, component, architecture in parts(usual) - parts(security)})


def parse(output: Output) -> tuple[Index, ...]:
    """Read the rows of kind Packages."""
    found = []
    for line in output.lines():
        kind, *fields = line.strip().split("|")
        if len(fields) not in {5, 7}:
            raise Unparseable(msg("apt printed a line that cannot be parsed: {line}", line=shown(line, 80)))
        if kind == "Packages":
            found.append(Index(*("" if field.startswith("$(") else field for field in fields)))
    return tuple(found)


PROBE = Probe(
    "apt.index",
    (
        "apt-get",
        "indextargets",
        "--format",
        "$(CREATED_BY)|$(RELEASE)|$(CODENAME)|$(SUITE)|$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(ARCHITECTURE)",
    ),
    parse,
    timeout_seconds=30,
    form=PIPED,
)
