"""From events to a run folder. Read loop.py first."""
