"""One experiment a system: the paper's claim as a comparison that the lab can run in minutes."""
