"""Vietnam's working days as data, each with the document behind it, and the arithmetic on them."""
