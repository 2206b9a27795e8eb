-- Applied after the migrations whenever it changes: the effect of a request for an id.

-- Adds the id and makes it due. A request for an id that can never be in the catalogue gets its outcome at once. A deleted id
-- is fetched too: the export is a day old, and TMDB may have the id again.
create or replace function pipeline.take_request() returns trigger
language plpgsql
security definer
set search_path = pipeline, pg_temp
as $$
declare
    known record;
begin
    if new.title_id >= 1000000000 and not exists (
        select from pipeline.title_ids_as_of a where a.media_type = catalog.media_type(new.title_id))
    then
        raise exception 'bad_id: % is no tmdb_id of a movie, which is below 1,000,000,000', new.title_id
            using errcode = '22003';
    end if;
    if tg_op = 'INSERT' then  -- so that an application's request succeeds after that of a list
        delete from pipeline.requested_titles q where q.title_id = new.title_id and q.requested_by = 'tmdb_lists';
    end if;
    insert into pipeline.title_ids (title_id, original_title, first_seen)
    values (new.title_id, '', new.requested_at::date)
    on conflict do nothing;
    select i.gone_since, i.export_reason into known
    from pipeline.title_ids i where i.title_id = new.title_id;
    new.served_at := null;
    new.outcome := null;
    if known.gone_since is null and known.export_reason in ('adult', 'video', 'softcore') then
        new.served_at := new.requested_at;
        new.outcome := 'rejected: ' || known.export_reason;
        return new;
    end if;
    update pipeline.title_ids i
    set kept_on_request = i.kept_on_request or new.keep,
        export_reason = case when new.keep then null else i.export_reason end,
        attempts = 0, next_attempt_at = null, last_error = null
    where i.title_id = new.title_id;
    return new;
end
$$;
create or replace trigger take_request before insert or update of requested_at on pipeline.requested_titles
for each row execute function pipeline.take_request();
