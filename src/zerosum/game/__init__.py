"""The game: networks, objectives, penalties and the players. Read players.py first."""
