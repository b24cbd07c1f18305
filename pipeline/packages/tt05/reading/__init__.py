"""What the files of a package say, as frozen records: METS, descriptions, PREMIS, schemas."""
