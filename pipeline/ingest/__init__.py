"""SIP to AIP: receive, check, inspect, normalise, describe, seal, store; `ingest.py` holds the order."""
