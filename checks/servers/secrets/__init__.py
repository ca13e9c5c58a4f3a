"""Article 12.5: keys and passwords are kept where only their holders read them."""
