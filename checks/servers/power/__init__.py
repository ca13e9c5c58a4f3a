"""Article 12.3: power."""
