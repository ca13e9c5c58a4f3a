"""Article 12.5: who holds which administrative access."""
