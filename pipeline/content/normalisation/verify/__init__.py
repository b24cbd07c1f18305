"""Ways to prove that a result says what its source says, one family per module."""
