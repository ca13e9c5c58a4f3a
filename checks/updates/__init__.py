"""Update compliance (Article 11): sources show items, items become observations, pure rules judge them."""
