"""Keeps another ledger's heads and refuses one that does not extend the last."""
