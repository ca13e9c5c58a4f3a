"""Bundles: what a stranger gets of a ledger, and how portalops itself verifies one.

`verify.py` in this folder is no part of the program: it is handed out in each bundle, and stands alone.
"""

from portalops.ledger.bundle.verification import BundleVerification, verify_bundle

__all__ = ["BundleVerification", "verify_bundle"]
