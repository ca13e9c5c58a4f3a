"""Handle units that fell short: remind them, take their explanation, decide on it, report those that repeat (Article 11.3)."""
