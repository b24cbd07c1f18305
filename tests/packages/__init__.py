"""Tests of the kinds of packages."""
