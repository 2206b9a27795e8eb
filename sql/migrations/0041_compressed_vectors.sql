-- Migration: vectors that are kept in full precision are compressed where that saves space. Those of hashing-v2 have 4,000
-- components, most of them 0; vectors without zeros stay as they are. Stored rows change when they are written again.
alter table pipeline.embeddings alter column embedding set storage extended;
