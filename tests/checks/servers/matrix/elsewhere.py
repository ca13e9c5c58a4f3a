"""The checks that another test tries on something real, and those that nothing here can make real: why."""

_OUTSIDE = "checks/servers/test_outside.py::test_portal_of_a_state_is_judged_as_it_is"
_DATABASES = (
    "checks/servers/test_standby.py::test_postgresql_pair_passes_where_nobody_writes_and_fails_with_the_link_cut"
)
_PAIR = "checks/servers/test_standby.py::test_the_shared_address_moves_and_split_brain_is_seen"
_PACKAGES = "checks/servers/test_vulnerabilities_on_hosts.py::test_seeded_faults_of_a_host_are_found"
_DRIFT = "checks/servers/test_drift_on_hosts.py::test_what_is_changed_inside_and_outside_of_a_window_is_told_apart"
_AUDIT = "commands/test_credential_hosts.py::test_audit_follows_what_is_done_on_the_host"

_POSTGRESQL = (
    "checks/servers/test_database_accounts.py::test_ways_in_of_a_real_postgresql_are_judged_by_what_crosses_the_network"
)

ELSEWHERE = {
    "change.drift": _DRIFT,
    "cred.registered": _AUDIT,
    "db.pg-hba": _POSTGRESQL,
    "ha.failover-drill": _PAIR,
    "ha.keepalived": _PAIR,
    "ha.pg-lag": _DATABASES,
    "ha.pg-streaming": _DATABASES,
    "ha.vip": _PAIR,
    "patching.cms-version": _PACKAGES,
    "patching.cve-exploited": _PACKAGES,
    "patching.cve-fixable": _PACKAGES,
    "tls.chain": _OUTSIDE,
    "tls.expiry": _OUTSIDE,
    "tls.protocols": _OUTSIDE,
    "web.admin-exposed": _OUTSIDE,
    "web.defacement": _OUTSIDE,
    "web.dir-listing": _OUTSIDE,
    "web.editions": _OUTSIDE,
    "web.headers": _OUTSIDE,
    "web.https": _OUTSIDE,
    "web.leaks": _OUTSIDE,
}
"""By check: the file and the test that tries it on real servers."""
NOT_REAL = {
    "firewall.container-bypass": "No engine of containers publishes a port inside a host that is one itself.",
    "ids.auditd": "The kernel's audit takes one daemon, and a host in a container of this machine may not be it.",
    "kernel.sysctl": "Half of the settings are of the one kernel that this machine and its hosts share.",
    "kernel.usb-storage": "Such a host has no modules of the kernel that it runs on.",
    "storage.smart": "No disk that is emulated here says that it is ill.",
}
"""Checks that are tried on captured text alone."""
NO_FAULT = {
    "log.retention": "A disk that is older than three months cannot be made in a minute.",
}
"""Checks that pass and are unknown on a real host, and for which no real host can be given the fault."""
