-- Run before a file's entries are copied in; no is the number of the name in staged_names.
create temp table staged_entries (
    person text, part text, no integer, line integer, is_wanted boolean, rating real, seen_at timestamptz
) on commit drop
