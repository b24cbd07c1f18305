"""Access: what is handed out of the archive."""
