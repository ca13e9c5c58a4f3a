"""Folds over the ledger: what its records say when they are read together."""
