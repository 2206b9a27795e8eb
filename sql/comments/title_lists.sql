-- Comments: applied last, whenever this file or anything else of the schema changed.

-- A view of titles has the comments of the view of movies with the same columns.
do $$
declare
    views record;
    found record;
begin
    for views in
        select 'catalog.' || v.titles as titles, 'catalog.' || v.films as films
        from (values
            ('scored_titles', 'scored_films'), ('trending_titles', 'trending'), ('hidden_gem_titles', 'hidden_gems'),
            ('titles_by_genre', 'by_genre'), ('newly_released_titles', 'new_releases'), ('upcoming_titles', 'upcoming'),
            ('award_worthy_titles', 'award_worthy'), ('title_scores', 'film_scores'), ('title_group_scores', 'group_scores'),
            ('title_rating_sources', 'rating_sources')
        ) v (titles, films)
    loop
        execute format('comment on view %s is %L', views.titles, format(
            '%s; of titles of all media types, while %s has the movies', obj_description(views.films::regclass), views.films));
        for found in
            select a.attname as name, coalesce(col_description(f.attrelid, f.attnum), case a.attname
                when 'title_id' then 'key of the title: a movie''s is TMDB''s id of it, as in https://www.themoviedb.org/movie/603'
                when 'media_type' then 'media type of the title, or of the titles of the group: movie or series'
                when 'status' then 'status at TMDB, such as Released or Returning Series; null if TMDB does not tell' end) as comment
            from pg_attribute a
            left join pg_attribute f on f.attrelid = views.films::regclass and f.attname = a.attname
            where a.attrelid = views.titles::regclass and a.attnum > 0
        loop
            execute format('comment on column %s.%I is %L', views.titles, found.name, case found.name
                when 'tmdb_id' then 'TMDB''s id of the title; movies and series are numbered apart' else found.comment end);
        end loop;
    end loop;
end
$$;
