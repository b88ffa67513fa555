"""sightline."""
