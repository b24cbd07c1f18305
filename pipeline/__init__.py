"""What luutru does: submissions become AIPs, stored copies are watched, packages are handed out."""

VERSION = "0.1.0"
