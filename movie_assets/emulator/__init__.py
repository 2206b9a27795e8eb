"""An emulator for TMDB and for an OpenAI-compatible embeddings endpoint, served over HTTP on loopback.

`options` has its settings, `server` runs it, `app` has its routes. The films come from a world
(`world`): the made-up one that moves from day to day (`moving_world`) or recorded details
(`recorded_world`). Nothing here is used when the pipeline talks to the real services.
"""
