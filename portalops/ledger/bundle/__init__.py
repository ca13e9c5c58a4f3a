"""Bundles: what a stranger gets of a ledger, and how portalops itself verifies one.

`verify.py` in this folder is not part of the program: each bundle contains it, and it runs alone.
"""

from portalops.ledger.bundle.verification import BundleVerification, verify_bundle

__all__ = ["BundleVerification", "verify_bundle"]
