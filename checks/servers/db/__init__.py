"""Article 12.4: databases."""
