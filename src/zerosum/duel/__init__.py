"""Every model on the same events, the same split and the same time; what the lecture predicts, and what happened."""
