"""Administration: what is due, who decides, what the archive has at hand."""
