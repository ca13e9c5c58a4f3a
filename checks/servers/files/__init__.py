"""Article 12.4: files by which an account gets more rights than its own."""
