"""The soak: a deployment that stays up for a month of simulated days, with a moving world and random troubles."""
