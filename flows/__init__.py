"""How work is run: batches, workers, schedules, dashboards. No rule about content."""
