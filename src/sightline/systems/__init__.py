"""One file a paper, values only."""
