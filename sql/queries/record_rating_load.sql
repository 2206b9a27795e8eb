-- Run by the assets that read files of ratings in the transaction that stored them.
insert into pipeline.rating_loads (
    loader, address, version, film_ids, lines, rejected, unmatched, stored, changed, loaded_at, run_id
)
values (
    :loader, :address, :version, :film_ids, :lines, :rejected, :unmatched, :stored, :changed, :loaded_at, :run_id
)
