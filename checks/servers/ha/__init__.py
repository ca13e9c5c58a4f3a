"""Checks of standby systems: hosts that step in for each other (Article 12.3)."""
