"""Actions that take more than one call of a program, one family per module."""
