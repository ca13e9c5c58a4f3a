"""Article 12.1: the infrastructure is the one that is declared, and managed where it should be."""
