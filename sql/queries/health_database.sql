-- Run by health and by movie-assets migrate: which server and which pgvector this is, and how large the catalogue.
select
    current_setting('server_version') as version,
    (select extversion from pg_extension where extname = 'vector') as pgvector,
    pg_database_size(current_database()) as bytes,
    pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' as is_read_only,
    current_setting('max_connections')::integer as most_connections,
    (select count(*) from pg_stat_activity where backend_type = 'client backend')::integer as connections
