"""Article 12.3: there is software against intrusion."""
