-- Migration: postings are not compressed: numbers in order do not get smaller by it, and each search has to unpack them.

alter table catalog.postings alter column films set storage external;
