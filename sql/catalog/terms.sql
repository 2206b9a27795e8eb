-- Applied after the migrations whenever it changes: TMDB's terms, by which no data is kept for six months without a refresh.

-- Run by movie_ids each day: deletes all data of films whose response is that old, and returns their number. These films are due
-- as if they had never been fetched. Also deletes people, companies and the like that only such films named, images, old snapshots of
-- lists, old ratings of OMDb, old samples of rejected responses and lines, events after 90 days, and the titles of ids that were deleted
-- long ago.
create or replace function pipeline.purge_expired(moment timestamptz) returns integer
language plpgsql
as $$
declare
    purged integer;
begin
    create temp table expired on commit drop as
    select r.title_id from pipeline.title_details r where r.fetched_at <= moment - interval '180 days';
    delete from catalog.titles m using expired e where m.title_id = e.title_id;
    delete from catalog.title_stats_history h using expired e where h.title_id = e.title_id;
    delete from pipeline.title_embeddings v using expired e where v.title_id = e.title_id;
    delete from pipeline.title_details r using expired e where r.title_id = e.title_id;
    get diagnostics purged = row_count;
    -- A season that TMDB no longer sends, of a series that is fetched again and again.
    delete from pipeline.season_details d where d.fetched_at <= moment - interval '180 days';
    update pipeline.title_ids i
    set fetched_at = null, judged_by = null, detail_reason = null, failed_rules = null, release_date = null,
        unlisted_at = null
    from expired e where i.title_id = e.title_id;
    -- Dates that TMDB no longer has, which were read by then at most 30 days before.
    delete from catalog.cancelled_releases c where c.cancelled_at <= moment - interval '150 days';
    delete from catalog.moved_episodes v where v.is_cancelled and v.moved_at <= moment - interval '150 days';
    delete from catalog.offer_intervals i where i.left_at <= moment - interval '150 days';
    update pipeline.title_ids set original_title = ''
    where gone_since <= moment::date - 180 and original_title <> '';
    if purged > 0 then
        perform pipeline.delete_unnamed();
    end if;
    delete from pipeline.title_image_fetches f where f.fetched_at <= moment - interval '180 days';
    delete from catalog.list_days where read_at <= moment - interval '180 days';
    delete from catalog.omdb_ratings where seen_at <= moment - interval '180 days';
    delete from pipeline.rejects where rejected_at <= moment - interval '180 days';
    perform pipeline.forget_events(moment - interval '90 days');
    return purged;
end
$$;
