"""Settings from the environment, their validation, filter profiles and prices."""
