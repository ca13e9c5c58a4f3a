"""Finds how a site tells what it publishes: feeds, JSON, maps, pages that list items. What is found becomes `[[updates.source]]` tables."""
