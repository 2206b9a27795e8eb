-- Run by rating_aggregates in the transaction that writes the new ones.
delete from catalog.rating_aggregates
