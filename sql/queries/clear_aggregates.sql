-- Run by rating_aggregates in the transaction that writes the new ones.
with methods as (delete from catalog.rating_methods)
delete from catalog.rating_aggregates
