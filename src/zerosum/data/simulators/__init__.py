"""Sources of events with known truth."""
