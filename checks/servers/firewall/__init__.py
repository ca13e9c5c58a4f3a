"""Article 12.3: there is a firewall."""
