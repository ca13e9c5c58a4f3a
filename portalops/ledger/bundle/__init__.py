"""Bundles: what a stranger gets of a ledger, and how portalops itself verifies one."""
