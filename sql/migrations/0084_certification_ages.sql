-- Migration: the ages that certifications stand for.

-- Labels that hold a number need no row: catalog.certification_age reads it. age is null for a label that says that there is no
-- certification.
create table catalog.certification_ages (
    media_type text not null,
    country text not null,
    label text not null,
    age smallint check (age between 0 and 21),
    source text not null,
    primary key (media_type, country, label)
);

-- The age of the strictest certification that the title has in the country; null if one of them is unknown.
alter table catalog.title_certifications add column age smallint;
create index on catalog.title_certifications (country, age);

-- The former name of the table has all its columns.
create or replace view catalog.movie_certifications as
select title_id as tmdb_id, country, certification, release_type, released, descriptors, age
from catalog.title_certifications where title_id < 1000000000;
