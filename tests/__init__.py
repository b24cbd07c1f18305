"""The tests. A package in so many words: some libraries install a folder of this name, which would win over a bare folder."""
