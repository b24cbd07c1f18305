"""What the commands of `luutru` do with the pipeline: one module per room of the command line."""
