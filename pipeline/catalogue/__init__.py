"""Data management: a cache of what is held, rebuilt from one store."""
