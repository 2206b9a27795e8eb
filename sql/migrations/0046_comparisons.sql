-- Migration: a comparison of models costs something and belongs to no embedding set.

alter table pipeline.embedding_costs alter column set_id drop not null;
alter table pipeline.embedding_reservations alter column set_id drop not null;
