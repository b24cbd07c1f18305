"""Layouts decide which keys an AIP has in a store."""
