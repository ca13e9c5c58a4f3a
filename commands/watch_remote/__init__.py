"""Keep heads of other hosts' ledgers, and raise an alarm when one is refused or none comes.

A witness needs no jobs and no ledger of its own: a configuration with `[[witness.ledger]]` tables is all.
"""
