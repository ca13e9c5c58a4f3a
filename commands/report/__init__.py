"""Build reports for auditors, the Department and the Committee.

A report rests on the ledger and the configuration alone. Building one signs what the ledger is, where a signing key is
configured and the ledger may be written; nothing else is recorded, unless it is mailed.
"""
