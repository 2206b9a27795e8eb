-- Migration: each media type has scores of its own, by a method whose parameters are estimated from its ratings.
alter table catalog.rating_methods add column media_type text not null default 'movie';
drop index catalog.one_current_method;
create unique index one_current_method on catalog.rating_methods (media_type) where is_current;
