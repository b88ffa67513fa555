"""Test time: picking, reordering and refining what a policy proposes."""
