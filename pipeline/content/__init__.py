"""What can be learnt about one file, and made from it."""
