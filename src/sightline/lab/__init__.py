"""Everything runs here for real on two CPU cores: procedural worlds with exact truth, tiny models, experiments."""
