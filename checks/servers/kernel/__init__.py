"""Article 12.4: the kernel's own protections."""
