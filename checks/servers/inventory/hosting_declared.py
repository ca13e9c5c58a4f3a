"""The host runs where it is declared to run.

Article 12.1: the servers are installed and managed at the Department. A virtual machine moves to a provider overnight, and
nothing on it changes but the maker that its firmware names.

The rule: maker and kind of virtualization are those declared under `hosting`. Where the maker is a known provider of clouds,
`cloud_approval` must name the document that allows it. `none` is hardware; a container has no maker.

Sources: systemd-detect-virt(1), the kernel's sysfs-class-dmi; the makers' names are those of cloud-init's ds-identify. On
Debian 13, in a container:

    vendor=
    virtualization=systemd-nspawn
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import shown
from checks.servers.probes import hosting
from portalops.model.message import msg
from portalops.model.verdicts import Severity

CLOUDS = frozenset(
    {
        *(
            "amazon ec2",
            "google",
            "google inc.",
            "alibaba cloud",
            "alibaba cloud ecs",
            "digitalocean",
            "hetzner",
            "vultr",
        ),
        *(
            "linode",
            "akamai",
            "scaleway",
            "upcloud",
            "exoscale",
            "ovhcloud",
            "tencent cloud",
            "huawei cloud",
            "oraclecloud.com",
        ),
        *("cloudsigma", "e24cloud", "brightbox"),
    }
)
"""Makers that are providers, in lower case. Microsoft is none: its name stands for Hyper-V in the own house too."""


@check(
    id="inventory.hosting",
    clause="12.1",
    severity=Severity.MEDIUM,
    needs=(hosting.PROBE,),
    title=msg("the host runs where it is declared to run"),
    remedy=msg("Bring the host back, or have its place approved and declare it."),
)
def judge(facts: Facts) -> CheckOutcome:
    seen, declared = facts[hosting.PROBE], facts.declared.hosting
    ground = f"{shown(seen.vendor, 60) or '-'} ({shown(seen.virtualization, 40)})"
    is_cloud = seen.vendor.lower() in CLOUDS
    if declared is None:
        if is_cloud:
            return failed(
                "cloud-unapproved",
                msg("runs at a cloud provider, {ground}, without a declared approval", ground=ground),
            )
        return unknown("not-declared", msg("the platform of the host is not declared; seen: {ground}", ground=ground))
    if (seen.vendor, seen.virtualization) != (declared.vendor, declared.virtualization):
        return failed(
            "other-ground",
            msg(
                "runs on {ground}, not on {declared}",
                ground=ground,
                declared=f"{declared.vendor or '-'} ({declared.virtualization})",
            ),
        )
    if is_cloud and not declared.cloud_approval:
        return failed(
            "cloud-unapproved", msg("runs at a cloud provider, {ground}, without a declared approval", ground=ground)
        )
    return passed(msg("runs on {ground}, as declared", ground=ground))
