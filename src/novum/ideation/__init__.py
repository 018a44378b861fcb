"""Ideas: proposing them with reflection, judging their novelty with evidence, and refusing what could do harm."""
