-- Applied after the migrations whenever it changes: brings the ids' states in line with a day's export.

-- Touches only ids whose state moves. An id that left the export is gone until it is listed again; one that
-- answered 404 can stay listed for a while, and is asked for again when it was not, or after 30 days.
-- Each profile has a least popularity and, or null, a rank; an id deserves a look when it passes those of one.
drop function if exists pipeline.apply_export(date, double precision);
create or replace function pipeline.apply_export(
    day date, min_popularities double precision[], ranks integer[], rules jsonb, target integer
)
returns table (new integer, gone integer, returned integer, verdicts_changed integer, min_popularity double precision)
language plpgsql
as $$
begin
    select min(greatest(
        p.least,
        case when p.rank is not null then coalesce((
            select l.popularity from pipeline.export_lines l
            where l.export_date = day and not (l.adult or l.video or l.softcore)
            order by l.popularity desc offset p.rank - 1 limit 1
        ), 0) else 0 end
    ))
    into min_popularity
    from unnest(min_popularities, ranks) as p (least, rank);

    create temp table verdicts on commit drop as
    select
        l.tmdb_id,
        l.original_title,
        case
            when l.adult then 'adult'
            when l.video then 'video'
            when l.softcore then 'softcore'
            when l.popularity < apply_export.min_popularity and not coalesce(i.kept_on_request, false) then 'popularity'
            -- The lists said so (see discoveries.sql), and only they can take it back.
            when i.export_reason = 'vote_count' then 'vote_count'
        end as reason
    from pipeline.export_lines l left join pipeline.movie_ids i using (tmdb_id)
    where l.export_date = day;
    create index on verdicts (tmdb_id);
    analyze verdicts;

    update pipeline.movie_ids i
    set gone_since = coalesce(i.gone_since, day), gone_reason = 'left_export', changed_at = null
    where i.gone_reason is distinct from 'left_export'
      and not exists (select from verdicts v where v.tmdb_id = i.tmdb_id);
    get diagnostics gone = row_count;

    update pipeline.movie_ids i
    set gone_since = null, gone_reason = null, fetched_at = null, judged_by = null,
        attempts = 0, next_attempt_at = null, last_error = null
    from verdicts v
    where v.tmdb_id = i.tmdb_id
      and (i.gone_reason = 'left_export' or (i.gone_reason = 'not_found' and i.gone_since <= day - 30));
    get diagnostics returned = row_count;

    update pipeline.movie_ids i
    set export_reason = v.reason, original_title = v.original_title
    from verdicts v
    where v.tmdb_id = i.tmdb_id
      and (i.export_reason is distinct from v.reason or i.original_title <> v.original_title);
    get diagnostics verdicts_changed = row_count;

    insert into pipeline.movie_ids (tmdb_id, original_title, first_seen, export_reason)
    select v.tmdb_id, v.original_title, day, v.reason
    from verdicts v
    where not exists (select from pipeline.movie_ids i where i.tmdb_id = v.tmdb_id);
    get diagnostics new = row_count;

    insert into pipeline.ids_as_of (export_date, min_popularity, rules, target)
    values (day, apply_export.min_popularity, apply_export.rules, apply_export.target)
    on conflict (only_row) do update
    set export_date = excluded.export_date, min_popularity = excluded.min_popularity,
        rules = excluded.rules, target = excluded.target;

    delete from catalog.movies m
    where not exists (select from pipeline.movie_ids i where i.tmdb_id = m.tmdb_id and i.state = 'accepted');

    update catalog.movie_stats s
    set popularity = l.popularity
    from pipeline.export_lines l
    where l.export_date = day and l.tmdb_id = s.tmdb_id and s.popularity <> l.popularity;

    return next;
end
$$;
