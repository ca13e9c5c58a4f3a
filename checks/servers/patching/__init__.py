"""Article 12.3: the vendors' fixes are always up to date."""
