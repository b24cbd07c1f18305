"""Reports for people, one writer per format, made from the JSON documents of the command line."""
