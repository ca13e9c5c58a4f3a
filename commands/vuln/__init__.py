"""Build and check the signed bundles of known vulnerabilities that the servers' packages are looked up in."""
