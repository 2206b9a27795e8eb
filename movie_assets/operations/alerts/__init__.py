"""Who is told when something breaks and when it recovers: looking, deciding, remembering, telling."""
