-- Run after migrations: lets functions find pgvector whatever search_path their caller has.
select pipeline.pin_search_paths() as pinned
