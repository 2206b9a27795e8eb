-- Applied after the migrations whenever it changes: which ids TMDB's own lists say are worth a call.

-- Reads the temporary table incoming_discoveries: every film with at least min_votes votes. An id that is not among
-- them would be rejected for its votes, so its details are not fetched; one that newly is among them, or whose average
-- went across the least that a profile asks for, is looked at (again) now. Votes of accepted films are taken as listed. Accepted films, films that came back, and those kept on request stay whatever the lists say.
create or replace function pipeline.apply_discoveries(
    day date, min_votes integer, min_average double precision, moment timestamptz, run_id text, is_walk boolean
)
returns table (listed integer, new integer, put_aside integer, let_in integer)
language plpgsql
as $$
begin
    create temp table moved on commit drop as
    select d.tmdb_id, d.vote_average, d.vote_count, o.tmdb_id is null as is_new
    from incoming_discoveries d left join pipeline.discovered o using (tmdb_id)
    where (o.vote_average, o.vote_count) is distinct from (d.vote_average, d.vote_count);
    select count(*) filter (where is_new) into new from moved;

    delete from pipeline.discovered o
    where not exists (select from incoming_discoveries d where d.tmdb_id = o.tmdb_id);
    insert into pipeline.discovered as o (tmdb_id, vote_count, vote_average, release_date, original_language)
    select d.tmdb_id, d.vote_count, d.vote_average, d.release_date, d.original_language from incoming_discoveries d
    on conflict (tmdb_id) do update set
        vote_count = excluded.vote_count, vote_average = excluded.vote_average,
        release_date = excluded.release_date, original_language = excluded.original_language
    where (o.vote_count, o.vote_average, o.release_date, o.original_language) is distinct from
        (excluded.vote_count, excluded.vote_average, excluded.release_date, excluded.original_language);
    select count(*) into listed from pipeline.discovered;

    update pipeline.movie_ids i set changed_at = moment
    from moved d
    where d.tmdb_id = i.tmdb_id and i.gone_since is null and i.fetched_at is not null
      and case i.detail_reason
          when 'vote_count' then d.is_new
          when 'vote_average' then d.vote_average >= min_average
          else i.detail_reason is null and d.vote_average < min_average
      end;

    update catalog.movie_stats s
    set vote_average = d.vote_average, vote_count = d.vote_count, seen_at = moment
    from moved d where d.tmdb_id = s.tmdb_id and (s.vote_average, s.vote_count) <> (d.vote_average, d.vote_count);

    update pipeline.movie_ids i set export_reason = null
    where i.export_reason = 'vote_count'
      and exists (select from pipeline.discovered d where d.tmdb_id = i.tmdb_id);
    get diagnostics let_in = row_count;

    update pipeline.movie_ids i set export_reason = 'vote_count'
    where i.export_reason is null and i.gone_since is null and not i.kept_on_request
      and (
          i.detail_reason = 'vote_count'
          or (i.fetched_at is null and not exists (select from pipeline.raw_details r where r.tmdb_id = i.tmdb_id))
      )
      and not exists (select from pipeline.discovered d where d.tmdb_id = i.tmdb_id);
    get diagnostics put_aside = row_count;

    insert into pipeline.discoveries as w (day, min_votes, films, walked_at, run_id)
    select apply_discoveries.day, apply_discoveries.min_votes, listed, moment, apply_discoveries.run_id where is_walk
    on conflict on constraint discoveries_pkey do update set
        min_votes = excluded.min_votes, films = excluded.films, walked_at = excluded.walked_at, run_id = excluded.run_id;
    return next;
end
$$;
