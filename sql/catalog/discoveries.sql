-- Applied after the migrations whenever it changes: TMDB's own lists of films with enough votes.

-- Applies the temporary table incoming_discoveries, which has every film with at least min_votes votes. Listed values that are
-- newer than a film's details replace them in catalog.movie_stats and in pipeline.rule_inputs, which the profiles are
-- applied to. An accepted film that was listed before and is not listed now is due (`unlisted`), as its votes fell below
-- min_votes. is_walk is false when the stored lists are applied again. pipeline.evaluate decides the state of each id.
drop function if exists pipeline.apply_discoveries;
create function pipeline.apply_discoveries(
    day date, min_votes integer, moment timestamptz, run_id text, is_walk boolean
)
returns table (listed integer, new integer, no_longer_listed integer)
language plpgsql
as $$
begin
    create temp table moved on commit drop as
    select d.tmdb_id, d.vote_average, d.vote_count, o.tmdb_id is null as is_new
    from incoming_discoveries d left join pipeline.discovered o using (tmdb_id)
    where (o.vote_average, o.vote_count) is distinct from (d.vote_average, d.vote_count);
    select count(*) filter (where is_new) into new from moved;

    update pipeline.movie_ids i set unlisted_at = moment
    from pipeline.discovered o join pipeline.rule_inputs n using (tmdb_id)
    where o.tmdb_id = i.tmdb_id and n.vote_count >= min_votes and i.state = 'accepted' and i.fetched_at < moment
      and not exists (select from incoming_discoveries d where d.tmdb_id = o.tmdb_id);
    get diagnostics no_longer_listed = row_count;
    update pipeline.movie_ids i set unlisted_at = null
    from incoming_discoveries d where d.tmdb_id = i.tmdb_id and i.unlisted_at is not null;

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

    if is_walk then  -- the values of stored lists were applied when these were read
        update pipeline.rule_inputs n
        set vote_count = d.vote_count, vote_average = coalesce(d.vote_average, n.vote_average),
            release_date = coalesce(d.release_date, n.release_date),
            original_language = coalesce(d.original_language, n.original_language), seen_at = moment
        from incoming_discoveries d
        where d.tmdb_id = n.tmdb_id and n.seen_at <= moment
          and (n.vote_count, n.vote_average, n.release_date, n.original_language) is distinct from (
              d.vote_count, coalesce(d.vote_average, n.vote_average), coalesce(d.release_date, n.release_date),
              coalesce(d.original_language, n.original_language));

        update catalog.movie_stats s
        set vote_average = coalesce(d.vote_average, s.vote_average), vote_count = d.vote_count, seen_at = moment
        from moved d
        where d.tmdb_id = s.tmdb_id and s.seen_at <= moment
          and (s.vote_average, s.vote_count) is distinct from (coalesce(d.vote_average, s.vote_average), d.vote_count);

        insert into pipeline.discoveries as w (day, min_votes, films, walked_at, run_id)
        values (apply_discoveries.day, apply_discoveries.min_votes, listed, moment, apply_discoveries.run_id)
        on conflict on constraint discoveries_pkey do update set
            min_votes = excluded.min_votes, films = excluded.films, walked_at = excluded.walked_at,
            run_id = excluded.run_id;
    end if;
    return next;
end
$$;
