"""Article 12.3: the servers run continuously."""
