"""Sign, verify and show the ledger.

The ledger is where every other verdict comes from.
"""
