-- Migration: ratings of other sources than TMDB, scores by several methods side by side, and more groups of films.
create table catalog.external_ratings (
    tmdb_id bigint not null,
    source text not null check (source <> 'tmdb'),
    scale_min double precision not null,
    scale_max double precision not null check (scale_max > scale_min),
    raw_value double precision not null check (raw_value between scale_min and scale_max),
    value double precision not null
        generated always as (100 * (raw_value - scale_min) / (scale_max - scale_min)) stored,
    votes bigint not null check (votes > 0),
    seen_at timestamptz not null,
    primary key (tmdb_id, source)
);
comment on table catalog.external_ratings is
    'one row is what a source other than TMDB thinks of a film; the film need not be in the catalogue';
comment on column catalog.external_ratings.source is 'imdb, movielens, or a name of your own from a CSV';
comment on column catalog.external_ratings.scale_min is 'the lowest vote that the source takes; scale_max the highest';
comment on column catalog.external_ratings.value is 'raw_value on 0-100';
comment on column catalog.external_ratings.seen_at is 'when the source said so, as far as it tells; else when it was read';

-- Each file of ratings that was taken in. A file that was refused is not here.
create table pipeline.rating_loads (
    load_id bigint generated always as identity primary key,
    loader text not null check (loader in ('imdb', 'movielens', 'csv')),
    address text not null,
    version text,
    film_ids text not null,
    lines bigint not null,
    rejected bigint not null,
    unmatched bigint not null,
    stored integer not null,
    changed integer not null,
    loaded_at timestamptz not null,
    run_id text not null
);
create index on pipeline.rating_loads (loader, load_id);
comment on table pipeline.rating_loads is 'a reading of a file of ratings, and what came of it';
comment on column pipeline.rating_loads.address is 'without user, password and query';
comment on column pipeline.rating_loads.version is 'what the server or the file system calls the file''s content: ETag, time, size';
comment on column pipeline.rating_loads.film_ids is 'a hash of the ids that ratings were matched with; with others, the file is read again';
comment on column pipeline.rating_loads.unmatched is 'lines about films that are not in the catalogue, or have no TMDB id';
comment on column pipeline.rating_loads.changed is 'ratings that are new, other ones, or gone';

-- How scores were computed; the current method is the one that catalog.film_scores and catalog.group_scores show.
create table catalog.rating_methods (
    method_version text primary key,
    is_current boolean not null,
    says text not null,
    parameters jsonb not null,
    computed_at timestamptz not null
);
create unique index one_current_method on catalog.rating_methods (is_current) where is_current;
comment on table catalog.rating_methods is 'a way to compute scores; one is the current';
comment on column catalog.rating_methods.parameters is 'constants, and what was estimated from the data';
insert into catalog.rating_methods (method_version, is_current, says, parameters, computed_at)
select method_version, true, 'TMDB''s averages, drawn towards the usual one', '{}', max(computed_at)
from catalog.rating_aggregates group by method_version order by max(computed_at) desc limit 1;

alter table catalog.rating_aggregates drop constraint rating_aggregates_pkey;
alter table catalog.rating_aggregates add primary key (method_version, scope, key);
alter table catalog.rating_aggregates drop constraint rating_aggregates_scope_check;
alter table catalog.rating_aggregates add constraint rating_aggregates_scope_check
    check (scope in ('film', 'genre', 'year', 'decade', 'language', 'country', 'collection', 'person'));
alter table catalog.rating_aggregates add column source_scores jsonb;
comment on column catalog.rating_aggregates.key is 'TMDB''s id of a film, collection or person; a genre''s name; a code';
comment on column catalog.rating_aggregates.source_scores is
    'by source: of a film its score on the common scale, the value on 0-100 that it comes from, and votes; '
    'of a group how many films and votes';

create or replace view catalog.attribution as
select 'TMDB' as source, 'This product uses the TMDB API but is not endorsed or certified by TMDB.' as notice,
    'https://www.themoviedb.org' as link, 'all films' as applies_to
union all
select 'JustWatch', 'Watch providers by JustWatch.', 'https://www.justwatch.com', 'catalog.movie_watch_providers'
union all
select 'IMDb', 'Information courtesy of IMDb (https://www.imdb.com). Used with permission.', 'https://www.imdb.com',
    'catalog.external_ratings, source imdb; for personal and non-commercial use'
union all
select 'MovieLens',
    'F. Maxwell Harper and Joseph A. Konstan. 2015. The MovieLens Datasets: History and Context. ACM TiiS 5, 4: 19.',
    'https://grouplens.org/datasets/movielens', 'catalog.external_ratings, source movielens';
