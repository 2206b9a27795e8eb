-- Migration: the films of each word, which plot searches add up; and the meaning_weight of search_movies.

-- Filled by the asset search_documents, and once when the functions of this release are applied. Without a foreign key:
-- a film that left is passed over by every search until the lists are merged.
create table catalog.postings (
    key text collate "C" not null,
    part integer not null,
    films bigint[] not null,
    primary key (key, part)
);
