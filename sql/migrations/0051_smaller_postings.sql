-- Migration: postings of four bytes a film instead of eight.

-- A film's id is page * 2^31 + the number in films: TMDB's ids are below 2^31, those that are not are listed in pages of their own.
alter table catalog.postings add column page integer not null default 0;
alter table catalog.postings drop constraint postings_pkey;
create temp table pages on commit drop as
    select p.key, p.part, (f.tmdb_id >> 31)::integer as page,
        array_agg((f.tmdb_id & 2147483647)::integer order by f.tmdb_id) as films
    from catalog.postings p cross join unnest(p.films) f (tmdb_id) group by p.key, p.part, f.tmdb_id >> 31
    union all
    select p.key, p.part, 0, '{}' from catalog.postings p where p.films = '{}';
truncate catalog.postings;
alter table catalog.postings alter column films type integer[] using '{}';
insert into catalog.postings (key, part, films, page) select p.key, p.part, p.films, p.page from pages p order by p.key, p.part, p.page;
alter table catalog.postings add primary key (key, part, page);
