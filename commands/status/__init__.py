"""Show every duty: verdict, why, newest evidence, next due date.

The first screen anyone sees. It reads the ledger alone and changes nothing.
"""
