"""Records to bytes and back, one standard a module."""
