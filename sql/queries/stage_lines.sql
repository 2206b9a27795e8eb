-- Run before an export's lines are copied in; line is the position in the file.
create temp table incoming_lines (
    line bigint, tmdb_id bigint, original_title text, popularity double precision,
    adult boolean, video boolean, softcore boolean
) on commit drop
