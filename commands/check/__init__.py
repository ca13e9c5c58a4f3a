"""Check the servers: patches, firewall, SSH, accounts, disks, services (Article 12)."""
