"""The view from outside: what any stranger on the network sees of a host that is the portal's own.

All here is pure: what is said to a host, what its answers mean, and the form of the sections that the probes `outside.*`
parse. `checks.servers.outside_scan` does the asking.
"""
