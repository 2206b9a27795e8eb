-- Applied after the migrations whenever it changes: films as words, brought in line with the catalogue.

-- Raise this number when documents, names or the results of catalog.normalised() change: every film is then due.
create or replace function pipeline.document_version() returns integer
language sql immutable parallel safe
return 1;

-- A hash of everything that a document is made from. The hash of the embedded text covers title, overview, genres and
-- keywords; the hash of the related rows covers people and further titles.
create or replace function pipeline.document_source(text_hash text, facts_hash text, original_title text, tagline text)
returns bigint
language sql immutable parallel safe
return hashtextextended(concat_ws(E'\x1f', text_hash, facts_hash, original_title, tagline), pipeline.document_version());

-- Words as they are, and English ones by their stems too.
create or replace function pipeline.words_and_stems(words text) returns tsvector
language sql immutable parallel safe
return to_tsvector('pg_catalog.simple', words) || to_tsvector('pg_catalog.english', words);

-- The keys under which words are listed in catalog.postings: the English stem of each, the word itself if it has none.
-- Stop words are not listed.
create or replace function catalog.posting_keys(words text[]) returns text[]
language sql immutable parallel safe
return array(
    select distinct coalesce(s.stem[1], w) collate "C" as key
    from unnest(words) w cross join lateral (select ts_lexize('pg_catalog.english_stem', w)) s (stem)
    where s.stem is distinct from '{}'
    order by key);

-- The films whose documents were written or removed since the postings were merged, and the number of films then: null if
-- they were never merged.
create or replace function pipeline.postings_due(out merged integer, out due integer)
language sql stable
as $$
    select (sum(cardinality(p.films)) filter (where p.part = 0))::integer,
        coalesce(sum(cardinality(p.films)) filter (where p.part > 0), 0)::integer
    from catalog.postings p where p.key = ''
$$;

-- The films of each key, by id, as the documents have them; all films under the key ''. A film's id is page * 2^31 + the number in
-- films; each page of a key is a row, and TMDB's ids of today are in the first.
drop function if exists pipeline.films_of_words();
create function pipeline.films_of_words() returns table (key text, page integer, films integer[])
language sql stable
set jit = off
set work_mem = '96MB'
as $$
    with word as materialized (
        select u.word, (d.tmdb_id >> 31)::integer as page, array_agg((d.tmdb_id & 2147483647)::integer) as films
        from catalog.search_documents d cross join unnest(tsvector_to_array(d.words)) u (word) group by u.word, page
    ), keyed as materialized (
        select k.keys[1] as key, w.page, w.films, count(*) over (partition by k.keys[1], w.page) as words
        from word w cross join lateral (select catalog.posting_keys(array[w.word])) k (keys)
        where k.keys <> '{}'
    )
    select k.key collate "C", k.page, array(select f from unnest(k.films) f order by f) from keyed k where k.words = 1
    union all
    select k.key collate "C", k.page, array_agg(distinct f order by f) from keyed k cross join unnest(k.films) f
    where k.words > 1 group by k.key, k.page
    union all
    select '', 0, '{}' where not exists (select from catalog.search_documents)
    union all
    select '', (d.tmdb_id >> 31)::integer as page, array_agg((d.tmdb_id & 2147483647)::integer order by d.tmdb_id)
    from catalog.search_documents d group by page
$$;

-- Makes the postings of all documents anew, a row for each key. Searches see the old ones until the transaction ends.
create or replace function pipeline.merge_postings() returns void
language sql
as $$
    delete from catalog.postings;
    insert into catalog.postings (key, part, page, films) select w.key, 0, w.page, w.films from pipeline.films_of_words() w;
$$;

-- Run by reconciliation: each key with whether a film that has it is not listed, or one with a document is listed that has it not;
-- documents that were written or removed since the postings were merged leave films under keys that they had before.
create or replace function pipeline.compare_postings() returns table (key text, differs boolean)
language sql stable
set jit = off
as $$
    with posted as materialized (
        select p.key, p.page, array_agg(distinct f.film order by f.film) filter (where d.tmdb_id is not null) as films
        from catalog.postings p left join unnest(p.films) f (film) on true
        left join catalog.search_documents d on d.tmdb_id = (p.page::bigint << 31) + f.film
        group by p.key, p.page
    )
    select coalesce(w.key, p.key),
        coalesce(w.films, '{}') <> coalesce(p.films, '{}')
        and (d.due = 0 or exists (select unnest(w.films) except select unnest(p.films)))
    from pipeline.films_of_words() w full join posted p on p.key = w.key and p.page = w.page
    cross join pipeline.postings_due() d
$$;

-- Puts the postings right. Tells how many keys differed.
create or replace function pipeline.correct_postings() returns integer
language plpgsql
as $$
declare
    corrected integer;
begin
    lock table pipeline.document_sources in share row exclusive mode;  -- nobody writes documents meanwhile
    corrected := (select count(*) from pipeline.compare_postings() c where c.differs);
    perform pipeline.merge_postings();
    return corrected;
end
$$;

-- Lists films, as a new part under the key '', whose documents are written or removed after the postings were merged. Returns the
-- number of the part; null if the postings were never merged, or if more than a tenth of all documents is due, so that
-- finish_documents will merge them.
create or replace function pipeline.note_postings_due(films bigint[]) returns integer
language plpgsql
as $$
declare
    new_part integer;
    state record;
begin
    select * into state from pipeline.postings_due();
    if state.merged is null or films = '{}' then
        return null;
    end if;
    new_part := (select 1 + max(p.part) from catalog.postings p where p.key = '');
    insert into catalog.postings (key, part, page, films)
    select '', new_part, (f >> 31)::integer as page, array_agg((f & 2147483647)::integer order by f)
    from unnest(note_postings_due.films) f group by page;
    return case when (state.due + cardinality(films)) * 10 <= state.merged then new_part end;
end
$$;

-- Deletes the documents of films that left the catalogue; returns their number.
create or replace function pipeline.remove_documents() returns integer
language plpgsql
as $$
declare
    left_films bigint[];
begin
    lock table pipeline.document_sources in share row exclusive mode;
    left_films := array(
        select s.tmdb_id from pipeline.document_sources s
        where not exists (select from catalog.movies m where m.tmdb_id = s.tmdb_id));
    if left_films = '{}' then
        return 0;
    end if;
    insert into pipeline.word_changes (word, films)
    select w.word, -count(*) from catalog.search_documents d, unnest(tsvector_to_array(d.words)) w (word)
    where d.tmdb_id = any (left_films) group by w.word;
    perform pipeline.note_postings_due(left_films);
    delete from catalog.search_documents d where d.tmdb_id = any (left_films);
    delete from catalog.movie_names n where n.tmdb_id = any (left_films);
    delete from pipeline.document_sources s where s.tmdb_id = any (left_films);
    return cardinality(left_films);
end
$$;

-- Makes the documents and names of the films in the temporary table due_documents, into due_names and new_documents.
create or replace function pipeline.make_documents() returns void
language plpgsql
set jit = off
as $$
begin
    create temp table if not exists due_names (like catalog.movie_names) on commit delete rows;
    create temp table if not exists new_documents (tmdb_id bigint primary key, titles tsvector, words tsvector)
        on commit delete rows;
    truncate due_names, new_documents;
    insert into due_names (tmdb_id, normalised, key, kind, name)
    select distinct on (t.tmdb_id, n.normalised) t.tmdb_id, n.normalised, n.key, t.kind, t.name
    from (
        select m.tmdb_id, 1 as place, 'title' as kind, m.title as name from catalog.movies m
        union all select m.tmdb_id, 2, 'original', m.original_title from catalog.movies m
        union all select a.tmdb_id, 3, 'alternative', a.title from catalog.movie_alternative_titles a
        union all select r.tmdb_id, 4, 'translated', r.title from catalog.movie_translations r where r.title is not null
    ) t
    join due_documents using (tmdb_id)
    cross join lateral (select catalog.normalised(left(t.name, 300)) offset 0) p (plain)
    cross join lateral (select catalog.key_of(left(t.name, 300), p.plain) offset 0) k (key)
    cross join lateral (select coalesce(nullif(p.plain, ''), k.key), k.key) n (normalised, key)
    where n.key <> ''
    order by t.tmdb_id, n.normalised, t.place, t.name;
    analyze due_names;

    insert into new_documents (tmdb_id, titles, words)
    select
        m.tmdb_id, t.titles,
        setweight(t.titles, 'A')
        || setweight(to_tsvector('pg_catalog.simple', catalog.normalised(coalesce(p.names, ''))), 'B')
        || setweight(pipeline.words_and_stems(catalog.normalised(
            concat_ws(' ', array_to_string(m.keywords, ' '), array_to_string(m.genres, ' '), m.collection))), 'C')
        || setweight(to_tsvector('pg_catalog.english', catalog.normalised(concat_ws(' ', m.tagline, m.overview))), 'D')
    from due_documents d
    join catalog.movies m using (tmdb_id)
    left join (
        select n.tmdb_id,
            setweight(pipeline.words_and_stems(
                coalesce(string_agg(n.normalised, ' ') filter (where n.kind in ('title', 'original')), '')), 'A')
            || setweight(to_tsvector('pg_catalog.simple',
                coalesce(string_agg(n.normalised, ' ') filter (where n.kind in ('alternative', 'translated')), '')), 'B')
        from due_names n group by n.tmdb_id
    ) t (tmdb_id, titles) using (tmdb_id)
    left join (
        select c.tmdb_id, string_agg(c.name, ' ' order by c.place, c.name)
        from (
            select r.tmdb_id, r.name, min(r.place) as place
            from (
                select c.tmdb_id, p.name, c.billing::integer
                from due_documents d join catalog.movie_cast c using (tmdb_id) join catalog.people p using (person_id)
                union all select c.tmdb_id, p.name, 100000
                from due_documents d join catalog.movie_crew c using (tmdb_id) join catalog.people p using (person_id)
                union all select m.tmdb_id, n.name, 100000
                from due_documents d join catalog.movies m using (tmdb_id), unnest(m.directors || m.leading_cast) n (name)
            ) r (tmdb_id, name, place)
            group by r.tmdb_id, r.name
        ) c
        group by c.tmdb_id
    ) p (tmdb_id, names) using (tmdb_id);
    update new_documents set titles = '' where titles is null;
    update new_documents set words = coalesce(words, '') where words is null;
end
$$;

-- Run by reconciliation: makes the documents of the next so many films again, by id, and answers which rows differ from the
-- stored ones. Films whose document is due anyway are left out. last_id is in every row, null when no film is left.
create or replace function pipeline.compare_documents(after bigint, films integer)
returns table (last_id bigint, looked_at integer, tmdb_id bigint, table_name text, column_names text[], what text)
language plpgsql
set jit = off
as $$
#variable_conflict use_column
declare
    newest bigint;
    looked integer;
begin
    create temp table if not exists due_documents (tmdb_id bigint primary key, source bigint not null) on commit delete rows;
    truncate due_documents;
    insert into due_documents
    select m.tmdb_id, s.source
    from catalog.movies m join pipeline.document_sources s using (tmdb_id)
    where m.tmdb_id > after
      and s.source = pipeline.document_source(m.text_hash, m.facts_hash, m.original_title, m.tagline)
    order by m.tmdb_id limit films;
    select max(d.tmdb_id), count(*) into newest, looked from due_documents d;
    analyze due_documents;
    perform pipeline.make_documents();
    return query select newest, looked, null::bigint, null::text, null::text[], null::text;
    return query
    select newest, looked, n.tmdb_id, 'search_documents', array_remove(array[
            case when o.titles <> n.titles then 'titles' end, case when o.words <> n.words then 'words' end], null),
        'other'
    from new_documents n join catalog.search_documents o using (tmdb_id)  -- pipeline.reconcile finds those that are missing
    where (o.titles, o.words) is distinct from (n.titles, n.words);
    return query
    select newest, looked, coalesce(n.tmdb_id, o.tmdb_id), 'movie_names', array_remove(array[
            case when o.key <> n.key then 'key' end, case when o.kind <> n.kind then 'kind' end,
            case when o.name <> n.name then 'name' end], null),
        case when o.tmdb_id is null then 'missing' when n.tmdb_id is null then 'too many' else 'other' end
    from due_names n
    full join (
        select o.* from catalog.movie_names o where o.tmdb_id in (select d.tmdb_id from due_documents d)
    ) o on o.tmdb_id = n.tmdb_id and o.normalised = n.normalised
    where (o.key, o.kind, o.name) is distinct from (n.key, n.kind, n.name);
end
$$;

-- Makes the documents of the next so many films, by id, whose document was made from something else; rows that come out
-- as they are stay untouched. last_id is null when no film is left.
drop function if exists pipeline.write_documents;
create function pipeline.write_documents(after bigint, films integer)
returns table (last_id bigint, looked_at integer, documents_written integer, names_written integer)
language plpgsql
set jit = off
as $$
declare
    changed integer;
    new_part integer;
begin
    lock table pipeline.document_sources in share row exclusive mode;
    create temp table if not exists due_documents (tmdb_id bigint primary key, source bigint not null) on commit delete rows;
    truncate due_documents;
    insert into due_documents
    select m.tmdb_id, n.source
    from catalog.movies m
    cross join lateral (
        select pipeline.document_source(m.text_hash, m.facts_hash, m.original_title, m.tagline)) n (source)
    left join pipeline.document_sources s on s.tmdb_id = m.tmdb_id
    where m.tmdb_id > after and s.source is distinct from n.source
    order by m.tmdb_id limit films;
    select max(d.tmdb_id), count(*) into last_id, looked_at from due_documents d;
    if last_id is null then
        documents_written := 0;
        names_written := 0;
        return next;
        return;
    end if;
    analyze due_documents;

    perform pipeline.make_documents();

    insert into pipeline.word_changes (word, films)
    select c.word, sum(c.change) from (
        select w.word, -1 from new_documents n join catalog.search_documents o using (tmdb_id),
            unnest(tsvector_to_array(o.words)) w (word)
        where o.words <> n.words
        union all select w.word, 1 from new_documents n left join catalog.search_documents o using (tmdb_id),
            unnest(tsvector_to_array(n.words)) w (word)
        where o.words is distinct from n.words
    ) c (word, change)
    group by c.word having sum(c.change) <> 0;

    -- Only what a document has and had not is listed: search_movies reads the documents of the films that it ranks.
    new_part := pipeline.note_postings_due(array(
        select n.tmdb_id from new_documents n left join catalog.search_documents o using (tmdb_id)
        where o.words is distinct from n.words order by n.tmdb_id));
    insert into catalog.postings (key, part, page, films)
    select k.key, new_part, (n.tmdb_id >> 31)::integer as page, array_agg((n.tmdb_id & 2147483647)::integer order by n.tmdb_id)
    from new_documents n left join catalog.search_documents o using (tmdb_id)
    cross join lateral (
        select unnest(catalog.posting_keys(tsvector_to_array(n.words)))
        except select unnest(catalog.posting_keys(tsvector_to_array(o.words)))) k (key)
    where new_part is not null and o.words is distinct from n.words
    group by k.key, page;

    insert into catalog.search_documents as d (tmdb_id, titles, words)
    select n.tmdb_id, n.titles, n.words from new_documents n order by n.tmdb_id
    on conflict (tmdb_id) do update set titles = excluded.titles, words = excluded.words
    where (d.titles, d.words) is distinct from (excluded.titles, excluded.words);
    get diagnostics documents_written = row_count;

    delete from catalog.movie_names n using due_documents d
    where n.tmdb_id = d.tmdb_id and not exists (
        select from due_names w where w.tmdb_id = n.tmdb_id and w.normalised = n.normalised);
    get diagnostics names_written = row_count;
    insert into catalog.movie_names as n (tmdb_id, normalised, key, kind, name)
    select w.tmdb_id, w.normalised, w.key, w.kind, w.name from due_names w order by w.tmdb_id, w.normalised
    on conflict (tmdb_id, normalised) do update set key = excluded.key, kind = excluded.kind, name = excluded.name
    where (n.key, n.kind, n.name) is distinct from (excluded.key, excluded.kind, excluded.name);
    get diagnostics changed = row_count;
    names_written := names_written + changed;

    insert into pipeline.document_sources as s (tmdb_id, source)
    select d.tmdb_id, d.source from due_documents d
    on conflict (tmdb_id) do update set source = excluded.source;
    return next;
end
$$;

-- Run when documents were written or removed: counts their words into the vocabulary, merges the postings if those of more than
-- a tenth of the films are due, builds the indexes if there are none, and merges what the indexes put aside. Tells how many words
-- there are.
create or replace function pipeline.finish_documents() returns integer
language plpgsql
set jit = off
as $$
declare
    moved integer;
    postings record;
begin
    lock table pipeline.document_sources in share row exclusive mode;
    create temp table if not exists moved_words (word text collate "C" primary key, films integer) on commit delete rows;
    truncate moved_words;
    insert into moved_words
    select c.word, sum(c.films) from pipeline.word_changes c group by c.word having sum(c.films) <> 0;
    get diagnostics moved = row_count;
    truncate pipeline.word_changes;
    if moved > 0 then
        analyze moved_words;
        update catalog.vocabulary v set films = v.films + w.films from moved_words w where w.word = v.word;
        insert into catalog.vocabulary (word, films, trigrams)
        select w.word, w.films, catalog.trigrams(w.word) from moved_words w
        where not exists (select from catalog.vocabulary v where v.word = w.word) and length(w.word) <= 60
        order by w.word;
        delete from catalog.vocabulary v using moved_words w where w.word = v.word and v.films <= 0;
    end if;
    select * into postings from pipeline.postings_due();
    if postings.merged is null or postings.due * 10 > postings.merged then
        perform pipeline.merge_postings();
        analyze catalog.postings;
    end if;
    perform set_config('maintenance_work_mem', '256MB', true);
    create index if not exists movie_names_key on catalog.movie_names (key);
    create index if not exists movie_names_main_key on catalog.movie_names (key) where kind in ('title', 'original');
    create index if not exists search_documents_titles on catalog.search_documents using gin (titles);
    create index if not exists vocabulary_trigrams on catalog.vocabulary using gin (trigrams);
    if moved > 20000 then
        analyze catalog.search_documents;
        analyze catalog.movie_names;
        analyze catalog.vocabulary;
    end if;
    perform gin_clean_pending_list(to_regclass(format('catalog.%I', i)))
    from unnest(array['search_documents_titles', 'vocabulary_trigrams']) i;
    return (select count(*) from catalog.vocabulary);
end
$$;

-- A database of the release before has documents, and the index in place of which postings are read.
do $$
begin
    if (select d.merged from pipeline.postings_due() d) is null and exists (select from catalog.search_documents) then
        perform pipeline.merge_postings();
    end if;
end
$$;
drop index if exists catalog.search_documents_words;
