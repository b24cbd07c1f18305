"""The second opinion on formats: opf-fido's engine, fed with signatures of our own making and guarded by limits."""
