"""Do parts of jobs on this machine, and see which workers there are, what waits, and let one end.

A worker needs the configuration and the ledger's database, and nothing of its own: any machine may run one.
"""
