-- Run by the check documents_agree_with_the_catalogue: what searches by words see and should not, or do not and should.
select
    (select count(*) from catalog.movies) as films,
    (select count(*) from catalog.movies m
     left join pipeline.document_sources s using (tmdb_id)
     where s.source is distinct from pipeline.document_source(m.text_hash, m.facts_hash, m.original_title, m.tagline))
        as films_without_their_document,
    (select count(*) from pipeline.document_sources s
     full join catalog.search_documents d using (tmdb_id)
     where s.tmdb_id is null or d.tmdb_id is null) as documents_half_there,
    (select count(*) from pipeline.document_sources s
     where not exists (select from catalog.movies m where m.tmdb_id = s.tmdb_id)) as documents_without_a_film,
    (select count(*) from catalog.movies m
     where m.title ~ '\w' and not exists (select from catalog.movie_names n where n.tmdb_id = m.tmdb_id))
        as films_without_a_name,
    (select count(*) from pipeline.word_changes) as words_not_counted,
    (select count(*) from (
        values ('search_documents_titles'), ('search_documents_words'), ('vocabulary_trigrams'), ('movie_names_key'),
            ('movie_names_main_key')) i (name)
     where not exists (
        select from pg_index x where x.indexrelid = to_regclass('catalog.' || i.name) and x.indisvalid))
        as indexes_missing
