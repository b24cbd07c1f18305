"""The tests. A package in so many words: a library installs one of this name, which would win over a bare folder."""
