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

-- The words of a document that catalog.vocabulary counts. For another media type than movies, '' is one, which counts the documents.
create or replace function pipeline.words_to_count(media text, words tsvector) returns setof text
language sql immutable parallel safe
as $$
    select unnest(tsvector_to_array(words)) union all select '' where media <> 'movie'
$$;

-- The films whose documents were written or removed since the postings were merged, and the number of films then: null if
-- they were never merged.
create or replace function pipeline.postings_due(out merged integer, out due integer)
language sql stable
as $$
    select (sum(cardinality(p.films)) filter (where p.part = 0))::integer,
        coalesce(sum(cardinality(p.films)) filter (where p.part > 0), 0)::integer
    from catalog.postings p where p.key = ''
$$;

-- The titles of each key, by id, as the documents have them; all of them under the key ''. Each page of a key is a row: that of
-- movies is 0, that of series 1 (catalog.media_types). films has TMDB's ids.
drop function if exists pipeline.films_of_words();
create function pipeline.films_of_words() returns table (key text, page integer, films integer[])
language sql stable
set jit = off
set work_mem = '96MB'
as $$
    with word as materialized (
        select u.word, (d.title_id / 1000000000)::integer as page, array_agg((d.title_id % 1000000000)::integer) as films
        from catalog.title_documents d cross join unnest(tsvector_to_array(d.words)) u (word) group by u.word, page
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
    select '', 0, '{}' where not exists (select from catalog.title_documents)
    union all
    select '', (d.title_id / 1000000000)::integer as page, array_agg((d.title_id % 1000000000)::integer order by d.title_id)
    from catalog.title_documents d group by page
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
        select p.key, p.page, array_agg(distinct f.film order by f.film) filter (where d.title_id is not null) as films
        from catalog.postings p left join unnest(p.films) f (film) on true
        left join catalog.title_documents d on d.title_id = p.page * 1000000000::bigint + f.film
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
    lock table pipeline.title_document_sources in share row exclusive mode;  -- nobody writes documents meanwhile
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
    select '', new_part, (f / 1000000000)::integer as page, array_agg((f % 1000000000)::integer order by f)
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
    lock table pipeline.title_document_sources in share row exclusive mode;
    left_films := array(
        select s.title_id from pipeline.title_document_sources s
        where not exists (select from catalog.titles m where m.title_id = s.title_id));
    if left_films = '{}' then
        return 0;
    end if;
    insert into pipeline.word_changes (word, films, media_type)
    select w.word, -count(*), m.media_type
    from catalog.title_documents d
    cross join lateral (select catalog.media_type(d.title_id)) m (media_type)
    cross join lateral pipeline.words_to_count(m.media_type, d.words) w (word)
    where d.title_id = any (left_films) group by w.word, m.media_type;
    perform pipeline.note_postings_due(left_films);
    delete from catalog.title_documents d where d.title_id = any (left_films);
    delete from catalog.title_names n where n.title_id = any (left_films);
    delete from pipeline.title_document_sources s where s.title_id = any (left_films);
    return cardinality(left_films);
end
$$;

-- Makes the documents and names of the films in the temporary table due_documents, into due_names and new_documents.
create or replace function pipeline.make_documents() returns void
language plpgsql
set jit = off
as $$
begin
    create temp table if not exists due_names (like catalog.title_names) on commit delete rows;
    create temp table if not exists new_documents (title_id bigint primary key, titles tsvector, words tsvector)
        on commit delete rows;
    truncate due_names, new_documents;
    insert into due_names (title_id, normalised, key, kind, name)
    select distinct on (t.title_id, n.normalised) t.title_id, n.normalised, n.key, t.kind, t.name
    from (
        select m.title_id, 1 as place, 'title' as kind, m.title as name from catalog.titles m
        union all select m.title_id, 2, 'original', m.original_title from catalog.titles m
        union all select a.title_id, 3, 'alternative', a.title from catalog.title_alternative_titles a
        union all select r.title_id, 4, 'translated', r.title from catalog.title_translations r where r.title is not null
    ) t
    join due_documents using (title_id)
    cross join lateral (select catalog.normalised(left(t.name, 300)) offset 0) p (plain)
    cross join lateral (select catalog.key_of(left(t.name, 300), p.plain) offset 0) k (key)
    cross join lateral (select coalesce(nullif(p.plain, ''), k.key), k.key) n (normalised, key)
    where n.key <> ''
    order by t.title_id, n.normalised, t.place, t.name;
    analyze due_names;

    insert into new_documents (title_id, titles, words)
    select
        m.title_id, t.titles,
        setweight(t.titles, 'A')
        || setweight(to_tsvector('pg_catalog.simple', catalog.normalised(coalesce(p.names, ''))), 'B')
        || setweight(pipeline.words_and_stems(catalog.normalised(
            concat_ws(' ', array_to_string(m.keywords, ' '), array_to_string(m.genres, ' '), m.collection))), 'C')
        || setweight(to_tsvector('pg_catalog.english', catalog.normalised(concat_ws(' ', m.tagline, m.overview))), 'D')
    from due_documents d
    join catalog.titles m using (title_id)
    left join (
        select n.title_id,
            setweight(pipeline.words_and_stems(
                coalesce(string_agg(n.normalised, ' ') filter (where n.kind in ('title', 'original')), '')), 'A')
            || setweight(to_tsvector('pg_catalog.simple',
                coalesce(string_agg(n.normalised, ' ') filter (where n.kind in ('alternative', 'translated')), '')), 'B')
        from due_names n group by n.title_id
    ) t (title_id, titles) using (title_id)
    left join (
        select c.title_id, string_agg(c.name, ' ' order by c.place, c.name)
        from (
            select r.title_id, r.name, min(r.place) as place
            from (
                select c.title_id, p.name, c.billing::integer
                from due_documents d join catalog.title_cast c using (title_id) join catalog.people p using (person_id)
                union all select c.title_id, p.name, 100000
                from due_documents d join catalog.title_crew c using (title_id) join catalog.people p using (person_id)
                union all select m.title_id, n.name, 100000
                from due_documents d join catalog.titles m using (title_id), unnest(m.directors || m.leading_cast) n (name)
            ) r (title_id, name, place)
            group by r.title_id, r.name
        ) c
        group by c.title_id
    ) p (title_id, names) using (title_id);
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
    create temp table if not exists due_documents (title_id bigint primary key, source bigint not null) on commit delete rows;
    truncate due_documents;
    insert into due_documents
    select m.title_id, s.source
    from catalog.titles m join pipeline.title_document_sources s using (title_id)
    where m.title_id > after
      and s.source = pipeline.document_source(m.text_hash, m.facts_hash, m.original_title, m.tagline)
    order by m.title_id limit films;
    select max(d.title_id), count(*) into newest, looked from due_documents d;
    analyze due_documents;
    perform pipeline.make_documents();
    return query select newest, looked, null::bigint, null::text, null::text[], null::text;
    return query
    select newest, looked, n.title_id, 'title_documents', array_remove(array[
            case when o.titles <> n.titles then 'titles' end, case when o.words <> n.words then 'words' end], null),
        'other'
    from new_documents n join catalog.title_documents o using (title_id)  -- pipeline.reconcile finds those that are missing
    where (o.titles, o.words) is distinct from (n.titles, n.words);
    return query
    select newest, looked, coalesce(n.title_id, o.title_id), 'title_names', array_remove(array[
            case when o.key <> n.key then 'key' end, case when o.kind <> n.kind then 'kind' end,
            case when o.name <> n.name then 'name' end], null),
        case when o.title_id is null then 'missing' when n.title_id is null then 'too many' else 'other' end
    from due_names n
    full join (
        select o.* from catalog.title_names o where o.title_id in (select d.title_id from due_documents d)
    ) o on o.title_id = n.title_id and o.normalised = n.normalised
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
    lock table pipeline.title_document_sources in share row exclusive mode;
    create temp table if not exists due_documents (title_id bigint primary key, source bigint not null) on commit delete rows;
    truncate due_documents;
    insert into due_documents
    select m.title_id, n.source
    from catalog.titles m
    cross join lateral (
        select pipeline.document_source(m.text_hash, m.facts_hash, m.original_title, m.tagline)) n (source)
    left join pipeline.title_document_sources s on s.title_id = m.title_id
    where m.title_id > after and s.source is distinct from n.source
    order by m.title_id limit films;
    select max(d.title_id), count(*) into last_id, looked_at from due_documents d;
    if last_id is null then
        documents_written := 0;
        names_written := 0;
        return next;
        return;
    end if;
    analyze due_documents;

    perform pipeline.make_documents();

    insert into pipeline.word_changes (word, films, media_type)
    select c.word, sum(c.change), c.media_type from (
        select w.word, -1, m.media_type
        from new_documents n join catalog.title_documents o using (title_id)
        cross join lateral (select catalog.media_type(n.title_id)) m (media_type)
        cross join lateral pipeline.words_to_count(m.media_type, o.words) w (word)
        where o.words <> n.words
        union all
        select w.word, 1, m.media_type
        from new_documents n left join catalog.title_documents o using (title_id)
        cross join lateral (select catalog.media_type(n.title_id)) m (media_type)
        cross join lateral pipeline.words_to_count(m.media_type, n.words) w (word)
        where o.words is distinct from n.words
    ) c (word, change, media_type)
    group by c.word, c.media_type having sum(c.change) <> 0;

    -- Only what a document has and had not is listed: search_movies reads the documents of the films that it ranks.
    new_part := pipeline.note_postings_due(array(
        select n.title_id from new_documents n left join catalog.title_documents o using (title_id)
        where o.words is distinct from n.words order by n.title_id));
    insert into catalog.postings (key, part, page, films)
    select k.key, new_part, (n.title_id / 1000000000)::integer as page, array_agg((n.title_id % 1000000000)::integer order by n.title_id)
    from new_documents n left join catalog.title_documents o using (title_id)
    cross join lateral (
        select unnest(catalog.posting_keys(tsvector_to_array(n.words)))
        except select unnest(catalog.posting_keys(tsvector_to_array(o.words)))) k (key)
    where new_part is not null and o.words is distinct from n.words
    group by k.key, page;

    insert into catalog.title_documents as d (title_id, titles, words)
    select n.title_id, n.titles, n.words from new_documents n order by n.title_id
    on conflict (title_id) do update set titles = excluded.titles, words = excluded.words
    where (d.titles, d.words) is distinct from (excluded.titles, excluded.words);
    get diagnostics documents_written = row_count;

    delete from catalog.title_names n using due_documents d
    where n.title_id = d.title_id and not exists (
        select from due_names w where w.title_id = n.title_id and w.normalised = n.normalised);
    get diagnostics names_written = row_count;
    insert into catalog.title_names as n (title_id, normalised, key, kind, name)
    select w.title_id, w.normalised, w.key, w.kind, w.name from due_names w order by w.title_id, w.normalised
    on conflict (title_id, normalised) do update set key = excluded.key, kind = excluded.kind, name = excluded.name
    where (n.key, n.kind, n.name) is distinct from (excluded.key, excluded.kind, excluded.name);
    get diagnostics changed = row_count;
    names_written := names_written + changed;

    insert into pipeline.title_document_sources as s (title_id, source)
    select d.title_id, d.source from due_documents d
    on conflict (title_id) do update set source = excluded.source;
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
    are_many_new boolean;
    postings record;
begin
    lock table pipeline.title_document_sources in share row exclusive mode;
    create temp table if not exists moved_words (word text collate "C", media_type text, films integer, primary key (word, media_type))
        on commit delete rows;
    truncate moved_words;
    insert into moved_words
    select c.word, c.media_type, sum(c.films) from pipeline.word_changes c group by c.word, c.media_type having sum(c.films) <> 0;
    get diagnostics moved = row_count;
    -- The number of movies is that of all documents, as the statistics have it, without the series that are counted here.
    are_many_new := exists (
        select from moved_words w, pg_class c
        where w.word = '' and c.oid = 'catalog.title_documents'::regclass and abs(w.films) > 0.01 * c.reltuples);
    truncate pipeline.word_changes;
    if moved > 0 then
        analyze moved_words;
        update catalog.vocabulary v set films = v.films + w.films from moved_words w
        where w.word = v.word and w.media_type = v.media_type;
        insert into catalog.vocabulary (word, media_type, films, trigrams)
        select w.word, w.media_type, w.films, catalog.trigrams(w.word) from moved_words w
        where not exists (select from catalog.vocabulary v where v.word = w.word and v.media_type = w.media_type)
          and length(w.word) <= 60
        order by w.word;
        delete from catalog.vocabulary v using moved_words w
        where w.word = v.word and w.media_type = v.media_type and v.films <= 0;
    end if;
    select * into postings from pipeline.postings_due();
    if postings.merged is null or postings.due * 10 > postings.merged then
        perform pipeline.merge_postings();
        analyze catalog.postings;
    end if;
    perform set_config('maintenance_work_mem', '256MB', true);
    create index if not exists title_names_key on catalog.title_names (key);
    create index if not exists title_names_main_key on catalog.title_names (key) where kind in ('title', 'original');
    create index if not exists title_documents_titles on catalog.title_documents using gin (titles);
    create index if not exists vocabulary_trigrams on catalog.vocabulary using gin (trigrams);
    if moved > 20000 or are_many_new then
        analyze catalog.title_documents;
        analyze catalog.title_names;
        analyze catalog.vocabulary;
    end if;
    perform gin_clean_pending_list(to_regclass(format('catalog.%I', i)))
    from unnest(array['title_documents_titles', 'vocabulary_trigrams']) i;
    return (select count(distinct v.word) from catalog.vocabulary v where v.word <> '');
end
$$;

-- A database of the release before has documents, and the index in place of which postings are read.
do $$
begin
    if (select d.merged from pipeline.postings_due() d) is null and exists (select from catalog.title_documents) then
        perform pipeline.merge_postings();
    end if;
end
$$;
drop index if exists catalog.title_documents_words;
