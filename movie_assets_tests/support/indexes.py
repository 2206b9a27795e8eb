"""Makes a catalogue of a few films need an index, which only large ones have."""

ALWAYS_INDEXED = (
    "create or replace function catalog.compared_below(vectors regclass) returns integer language sql stable "
    "as $$ select 0 $$"
)
