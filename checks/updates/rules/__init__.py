"""The rules of Article 11 as pure functions of observations, rulebook, calendar and the moment of judging."""
