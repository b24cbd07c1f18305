"""What luutru does: submission packages become archival packages, stored copies are watched, packages are handed out."""

VERSION = "0.1.0"
