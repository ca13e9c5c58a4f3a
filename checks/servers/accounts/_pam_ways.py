"""Where PAM lets somebody use a program that makes root, who knows no password."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from checks.servers.accounts._pam import UnreadableStack, chain_of, each_step, lets_in
from checks.servers.check import CheckOutcome, failed, unknown
from checks.servers.probe import shown
from checks.servers.probes.group import Group
from checks.servers.probes.pam_stacks import PamSettings
from checks.servers.probes.passwd import PasswdAccount
from checks.servers.wording import listed
from portalops.model.message import msg


def deserted(groups: Sequence[Group], accounts: Sequence[PasswdAccount]) -> set[str]:
    """Return the groups of /etc/group without a member besides root; pam_wheel takes that of root where there is no wheel."""
    first = {one.gid for one in accounts if one.uid != 0}
    found = {one.name for one in groups if one.gid not in first and not {*one.members} - {"root"}}
    if any(one.name == "wheel" for one in groups) or not found & {one.name for one in groups if one.gid == 0}:
        return found
    return found | {"wheel"}


def past_pam(pam: PamSettings, services: Iterable[str], without_members: Collection[str] = ()) -> CheckOutcome | None:
    """Return the fail of the first service that surely lets somebody in, else why that is unclear; None where none does.

    Args:
        services: by which PAM knows the programs.
        without_members: groups without a member besides root, as far as they are known.
    """
    unclear: CheckOutcome | None = None
    for service in services:
        try:
            chain = chain_of(pam, service, "auth")
        except UnreadableStack as error:
            said = msg("cannot read {path}, which PAM needs", path=error.path)
            unclear = unclear or unknown("pam-file-unread", said)
            continue
        surely, perhaps = lets_in(chain, password=False, second=False, deserted=without_members)
        modules = listed(dict.fromkeys(shown(f"{step.module}.so", 40) for step in each_step(chain)))
        if surely:
            said = msg(
                "PAM lets accounts use {service} without a password, by {modules}", service=service, modules=modules
            )
            return failed("pam-permits", said)
        if perhaps:
            said = msg(
                "it is not known whether PAM lets somebody use {service} without a password, by {modules}",
                service=service,
                modules=modules,
            )
            unclear = unclear or unknown("pam-unclear", said)
    return unclear
