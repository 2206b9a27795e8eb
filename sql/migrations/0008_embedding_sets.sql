-- Migration: the life of an embedding set, and what searches filter on beside its vectors.

alter table pipeline.embedding_sets
    add column activated_at timestamptz,
    add column retired_at timestamptz,
    add column held_since timestamptz,
    add column bytes_per_vector integer;
update pipeline.embedding_sets set activated_at = now() where is_active;
comment on column pipeline.embedding_sets.activated_at is 'when searches last began to see it';
comment on column pipeline.embedding_sets.retired_at is 'when another set took its place, or it was given up before it was searched';
comment on column pipeline.embedding_sets.held_since is
    'a person made it the active one; no other set takes its place by itself';
comment on column pipeline.embedding_sets.bytes_per_vector is 'size of its index for each vector when it was last built';

do $$
declare
    target text;
begin
    for target in
        select format('catalog.%I', 'movie_vectors_' || s.set_id) from pipeline.embedding_sets s
        where to_regclass(format('catalog.%I', 'movie_vectors_' || s.set_id)) is not null
    loop
        execute format(
            'alter table %s add column release_year smallint, add column genres text[] not null default ''{}'',
             add column original_language text, add column runtime_minutes smallint, add column certification text',
            target);
    end loop;
end
$$;

-- The view of the active set loses the width of its vectors, so that another set's can take their place by "create or
-- replace", which keeps the rights on the view; here they are kept by hand.
do $$
declare
    active integer := (select s.set_id from pipeline.embedding_sets s where s.is_active);
    rights text[] := array(
        select format(
            'grant %s on catalog.movie_vectors to %s', a.privilege_type,
            case when a.grantee = 0 then 'public' else quote_ident(a.grantee::regrole::text) end)
        from pg_class c cross join lateral aclexplode(c.relacl) a
        where c.oid = 'catalog.movie_vectors'::regclass and a.grantee <> c.relowner
    );
    statement text;
begin
    if active is not null then
        drop view catalog.movie_vectors;
        execute format(
            'create view catalog.movie_vectors as
             select tmdb_id, text_hash, embedding::halfvec as embedding from catalog.%I', 'movie_vectors_' || active);
        foreach statement in array rights loop
            execute statement;
        end loop;
    end if;
end
$$;

-- Films that a good embedding puts near each other, found by title and year; add your own. A pair of which one film is
-- not in the catalogue is passed over.
create table pipeline.golden_pairs (
    title text not null,
    release_year smallint not null,
    other_title text not null,
    other_year smallint not null,
    within integer not null default 10 check (within > 0),
    primary key (title, release_year, other_title, other_year)
);
comment on column pipeline.golden_pairs.within is 'the other film is among so many nearest';
insert into pipeline.golden_pairs (title, release_year, other_title, other_year) values
    ('Knives Out', 2019, 'Glass Onion: A Knives Out Mystery', 2022),
    ('The Godfather', 1972, 'The Godfather Part II', 1974),
    ('Toy Story', 1995, 'Toy Story 2', 1999),
    ('The Matrix', 1999, 'The Matrix Reloaded', 2003),
    ('Alien', 1979, 'Aliens', 1986),
    ('The Terminator', 1984, 'Terminator 2: Judgment Day', 1991),
    ('Before Sunrise', 1995, 'Before Sunset', 2004),
    ('Finding Nemo', 2003, 'Finding Dory', 2016),
    ('John Wick', 2014, 'John Wick: Chapter 2', 2017),
    ('Paddington', 2014, 'Paddington 2', 2017);
