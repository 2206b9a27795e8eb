-- Run before a chunk of vectors is copied in.
create temp table if not exists incoming_embeddings (
    tmdb_id bigint, text_hash text, embedding vector, is_cut boolean
) on commit delete rows
