"""Tiny models of real architectures, with the scripts that train them and the weights they ship."""
