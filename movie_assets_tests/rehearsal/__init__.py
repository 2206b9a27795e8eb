"""A rehearsal: thirty simulated days, each compared with an independent computation of what the catalogue must hold."""
