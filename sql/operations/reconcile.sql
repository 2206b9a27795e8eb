-- Applied after the migrations whenever it changes: the weekly comparison of tables that runs update step by step.

-- Compares tables that must agree, row by row. movie_assets/operations/reconciliation.py reads the stored responses again.
drop function if exists pipeline.reconcile;
create function pipeline.reconcile(template text)
returns table (agreement text, rows_compared bigint, rows_differing bigint, examples text[])
language sql stable
set jit = off
as $$
    with ids as (
        select 'each line of the export has its id, each living id a line' as agreement, true as is_compared,
            coalesce(i.title_id, l.title_id)::text as key,
            i.title_id is null or (
                l.title_id is null and i.gone_since is null and w.title_id is null
                and not pipeline.may_be_unlisted(
                    i, (select a.export_date from pipeline.title_ids_as_of a where a.media_type = catalog.media_type(i.title_id)))
            )
                or (l.title_id is not null and i.gone_reason = 'left_export') as differs
        from (select e.title_id
              from pipeline.title_ids_as_of a
              join pipeline.exported_titles e
                  on e.export_date = a.export_date
                  and e.title_id between catalog.title_id(a.media_type, 1) and catalog.title_id(a.media_type, 999999999)) l
        full join pipeline.title_ids i using (title_id)
        left join pipeline.ids_without_line w on w.title_id = i.title_id
    ), films as (
        select 'each accepted id has its film, its numbers and its answer, and no other has', true,
            coalesce(i.title_id, m.title_id)::text,
            i.title_id is null or m.title_id is null or s.title_id is null or r.title_id is null or i.fetched_at <> r.fetched_at
        from (select title_id, fetched_at from pipeline.title_ids where state = 'accepted') i
        full join catalog.titles m using (title_id)
        left join catalog.title_stats s using (title_id)
        left join pipeline.title_details r using (title_id)
    ), texts as (
        select 'each text has the hash that it is known by', true, m.title_id::text,
            m.text_hash <> encode(sha256(convert_to(
                pipeline.template_of(m.title_id, template) || E'\n' || m.embedding_text, 'UTF8')), 'hex')
        from catalog.titles m
    ), vectors as (
        select 'each vector that is searched is the one that was paid for', true, coalesce(v.title_id, e.title_id)::text,
            e.title_id is null or v.title_id is null or (v.text_hash = e.text_hash and v.embedding <> e.embedding::halfvec
                -- of longer vectors without zeros, the 1,000 largest components are searched: see pipeline.in_form_of
                and octet_length(sparsevec_send(v.embedding::sparsevec)) <> 8012)
        from pipeline.searched_titles() v
        full join (
            select e.title_id, e.text_hash, e.embedding, m.text_hash = e.text_hash as is_of_film
            from pipeline.title_embeddings e left join catalog.titles m using (title_id)
            where e.set_id = (select s.set_id from pipeline.embedding_sets s where s.is_active) and e.length > 0
        ) e using (title_id)
        where v.title_id is not null or e.is_of_film
    ), filters as (
        select 'each vector that is searched has its film''s text and filters', true, v.title_id::text,
            m.title_id is null or v.differs
        from pipeline.compare_filters() v (title_id) left join catalog.titles m using (title_id)
    ), lists as (
        select 'each film that is searched has its list of similar films', true, v.title_id::text,
            d.title_id is not null
        from pipeline.searched_titles() v left join pipeline.similar_due() d (title_id) using (title_id)
    ), documents as (
        select 'each film is found by the words that it has now', true, coalesce(m.title_id, s.title_id)::text,
            d.title_id is null or s.source is distinct from
                pipeline.document_source(m.text_hash, m.facts_hash, m.original_title, m.tagline)
        from catalog.titles m
        full join pipeline.title_document_sources s using (title_id)
        left join catalog.title_documents d using (title_id)
    ), words as (
        select 'each word of the vocabulary is counted right', true, coalesce(v.word, w.word) collate "default",
            v.films is distinct from w.films or v.trigrams is distinct from catalog.trigrams(v.word)
        from catalog.vocabulary v full join pipeline.words_of_documents() w using (word, media_type)
    ), postings as (
        select 'each film is listed under the words that it has now', true, p.key collate "default", p.differs
        from pipeline.compare_postings() p
    ), scores as (
        select 'each film with votes has its score, of as many votes', true, title_id::text,
            a.votes is distinct from s.votes
        from (select r.title_id, sum(r.votes) as votes from catalog.title_rating_sources r join catalog.titles m using (title_id)
              where r.votes is not null and (
                  r.title_id < 1000000000 or catalog.media_type(r.title_id) in (select media_type from catalog.rating_methods))
              group by r.title_id) s
        full join catalog.title_scores a using (title_id)
    )
    select c.agreement, count(*), count(*) filter (where c.differs),
        coalesce((array_agg(c.key order by c.key) filter (where c.differs))[1:50], '{}')
    from (
        select * from ids union all select * from films union all select * from texts union all select * from vectors
        union all select * from filters
        union all select * from lists union all select * from documents union all select * from words
        union all select * from postings union all select * from scores
    ) c
    group by c.agreement
$$;

-- The words of all documents of each media type, and in how many each is; words of more than 60 letters are in no vocabulary.
drop function if exists pipeline.words_of_documents();
create function pipeline.words_of_documents() returns table (word text, media_type text, films integer)
language sql stable
as $$
    select w.word collate "C", t.media, w.ndoc
    from unnest(catalog.media_types()) t (media)
    cross join lateral ts_stat(format(
        'select words from catalog.title_documents where catalog.media_type(title_id) = %L', t.media)) w
    where length(w.word) <= 60
    union all
    select '', catalog.media_type(d.title_id) as media, count(*)::integer
    from catalog.title_documents d where d.title_id >= 1000000000 group by media
$$;

-- Puts the vocabulary right. Tells how many words that came to.
create or replace function pipeline.recount_vocabulary() returns integer
language plpgsql
as $$
declare
    corrected integer;
begin
    lock table pipeline.title_document_sources in share row exclusive mode;  -- nobody writes documents meanwhile
    truncate pipeline.word_changes;
    create temp table recounted on commit drop as select * from pipeline.words_of_documents();
    create temp table to_correct on commit drop as
    select word, media_type, r.films from catalog.vocabulary v full join recounted r using (word, media_type)
    where v.films is distinct from r.films or v.trigrams is distinct from catalog.trigrams(v.word);
    get diagnostics corrected = row_count;
    delete from catalog.vocabulary v using to_correct c where c.word = v.word and c.media_type = v.media_type;
    insert into catalog.vocabulary (word, media_type, films, trigrams)
    select c.word, c.media_type, c.films, catalog.trigrams(c.word) from to_correct c where c.films is not null;
    return corrected;
end
$$;

-- Takes vectors out of the active set's table that are not the paid-for ones; the next publication puts those in.
create or replace function pipeline.remove_strange_vectors() returns integer
language plpgsql
as $$
declare
    active integer := (select s.set_id from pipeline.embedding_sets s where s.is_active);
    target regclass;
    removed integer := 0;
    removed_of_media integer;
begin
    for target in
        select format('catalog.%I', catalog.vector_table(active, m))::regclass from pipeline.media_of_set(active) m
    loop
        execute format(
            'delete from %s v where not exists (
                 select from pipeline.title_embeddings e
                 where e.set_id = $1 and e.title_id = v.title_id
                   and (e.text_hash <> v.text_hash or %s = v.embedding))',
            target, pipeline.in_form_of(target, 'e.embedding')) using active;
        get diagnostics removed_of_media = row_count;
        removed := removed + removed_of_media;
    end loop;
    return removed;
end
$$;

-- Makes documents due that are missing although their source is recorded; the next publication writes them.
create or replace function pipeline.forget_lost_documents() returns integer
language sql
as $$
    with forgotten as (
        delete from pipeline.title_document_sources s
        where not exists (select from catalog.title_documents d where d.title_id = s.title_id)
        returning s.title_id
    )
    select count(*)::integer from forgotten
$$;
