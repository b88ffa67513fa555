"""The version, for records of what produced a file."""

__version__ = "0.1.0"
