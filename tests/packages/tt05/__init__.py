"""The independent judge of the kind `tt05`: packages made from the specification alone, and what is to be said."""
