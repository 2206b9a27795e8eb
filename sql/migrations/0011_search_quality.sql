-- Migration: how well each embedding set is searched, measured after each publication that changed something.
create table pipeline.search_quality (
    measurement_id bigint generated always as identity primary key,
    set_id smallint not null references pipeline.embedding_sets on delete cascade,
    measured_at timestamptz not null,
    content text not null,
    vectors integer not null,
    recall_at_10 double precision not null,
    least_filtered_recall_at_10 double precision,
    p50_ms double precision not null,
    p95_ms double precision not null,
    exact_ms double precision not null,
    collection_films integer not null,
    collection_recall_at_10 double precision,
    golden_pairs integer not null,
    golden_pairs_far integer not null,
    random_similarity double precision[],
    nearest_similarity double precision[],
    tenth_similarity double precision[],
    loose double precision,
    related double precision,
    very_similar double precision,
    searches jsonb not null,
    places jsonb not null,
    map text,
    histogram text
);
create index on pipeline.search_quality (set_id, measurement_id);
comment on table pipeline.search_quality is 'one row is a measurement; the newest of a set keeps its pictures';
comment on column pipeline.search_quality.content is 'names the vectors, index and pairs that were measured';
comment on column pipeline.search_quality.random_similarity is
    'of pairs of films at random: quantiles at 1, 5, 25, 50, 75, 95, 99 and 99.9 %';
comment on column pipeline.search_quality.nearest_similarity is 'of films and the nearest to them: the same quantiles';
comment on column pipeline.search_quality.tenth_similarity is 'of films and the tenth nearest: the same quantiles';
