"""Measurements: each row runs luutru and its opponent in turns in one run, and tells the ratio."""
