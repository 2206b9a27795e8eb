-- Applied after the migrations whenever it changes: TMDB's own lists of films with enough votes.

-- Applies the temporary table incoming_discoveries, which has the films of a media type that were read today with the
-- slice of the list that each is in: all films of the slices that were read whole, and some of the others. new_slices
-- are all slices from now on, an array of objects with the columns of pipeline.list_slices; kept_slices are the first
-- days of those that were not read whole, whose films stay listed. Listed values that are newer than a film's details
-- replace them in catalog.title_stats and in pipeline.title_rule_inputs, which the profiles are applied to. An accepted
-- film that was listed before and is not listed now is due (`unlisted`), as its votes fell below the least of
-- thresholds. pipeline.evaluate decides the state of each id.
drop function if exists pipeline.apply_discoveries;
create function pipeline.apply_discoveries(
    day date, thresholds integer[], moment timestamptz, run_id text, new_slices jsonb, kept_slices date[],
    media text default 'movie'
)
returns table (listed integer, new integer, no_longer_listed integer)
language plpgsql
as $$
declare
    first_id bigint := catalog.title_id(media, 1);
    last_id bigint := catalog.title_id(media, 999999999);
begin
    create temp table unlisted on commit drop as
    select o.title_id from pipeline.discovered_titles o
    where o.title_id between first_id and last_id and not coalesce(o.slice = any(kept_slices), false)
      and not exists (select from incoming_discoveries d where d.title_id = o.title_id);
    select count(*) into new from incoming_discoveries d
    where not exists (select from pipeline.discovered_titles o where o.title_id = d.title_id);

    update pipeline.title_ids i set unlisted_at = moment
    from unlisted o join pipeline.title_rule_inputs n using (title_id)
    where o.title_id = i.title_id and n.vote_count >= thresholds[1] and i.state = 'accepted' and i.fetched_at < moment;
    get diagnostics no_longer_listed = row_count;
    update pipeline.title_ids i set unlisted_at = null
    from incoming_discoveries d where d.title_id = i.title_id and i.unlisted_at is not null;

    delete from pipeline.discovered_titles o using unlisted u where u.title_id = o.title_id;
    insert into pipeline.discovered_titles as o (
        title_id, vote_count, vote_average, release_date, original_language, slice, read_at
    )
    select d.title_id, d.vote_count, d.vote_average, d.release_date, d.original_language, d.slice, moment
    from incoming_discoveries d
    on conflict (title_id) do update set
        vote_count = excluded.vote_count, vote_average = excluded.vote_average,
        release_date = excluded.release_date, original_language = excluded.original_language,
        slice = excluded.slice, read_at = excluded.read_at;
    select count(*) into listed from pipeline.discovered_titles o where o.title_id between first_id and last_id;

    delete from pipeline.title_list_slices s where s.media_type = media;
    insert into pipeline.title_list_slices (media_type, since, until, unshown, walked_at)
    select media, s.since, s.until, s.unshown, s.walked_at
    from jsonb_populate_recordset(null::pipeline.title_list_slices, new_slices) s;

    update pipeline.title_rule_inputs n
    set vote_count = d.vote_count, vote_average = coalesce(d.vote_average, n.vote_average),
        release_date = coalesce(d.release_date, n.release_date),
        original_language = coalesce(d.original_language, n.original_language), seen_at = moment
    from incoming_discoveries d
    where d.title_id = n.title_id and n.seen_at <= moment
      and (n.vote_count, n.vote_average, n.release_date, n.original_language) is distinct from (
          d.vote_count, coalesce(d.vote_average, n.vote_average), coalesce(d.release_date, n.release_date),
          coalesce(d.original_language, n.original_language));

    update catalog.title_stats s
    set vote_average = coalesce(d.vote_average, s.vote_average), vote_count = d.vote_count, seen_at = moment
    from incoming_discoveries d
    where d.title_id = s.title_id and s.seen_at <= moment
      and (s.vote_average, s.vote_count) is distinct from (coalesce(d.vote_average, s.vote_average), d.vote_count);

    insert into pipeline.title_discoveries as w (media_type, day, min_votes, films, walked_at, run_id, thresholds)
    values (media, apply_discoveries.day, apply_discoveries.thresholds[1], listed, moment, apply_discoveries.run_id,
        apply_discoveries.thresholds)
    on conflict on constraint title_discoveries_media_type_day_key do update set
        min_votes = excluded.min_votes, films = excluded.films, walked_at = excluded.walked_at,
        run_id = excluded.run_id, thresholds = excluded.thresholds;
    return next;
end
$$;
