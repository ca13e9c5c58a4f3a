"""Article 12.4: the portal shows its visitors what it should, and strangers nothing else."""
