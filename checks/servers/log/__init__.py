"""Article 12.4: logs."""
