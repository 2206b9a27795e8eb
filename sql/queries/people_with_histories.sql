-- Run by movie-assets recommend --for: the person of that name, if there is one, else up to five who have a history.
(select h.person from catalog.watch_histories h where h.person = :person limit 1)
union all
(select h.person from catalog.watch_histories h
 where not exists (select from catalog.watch_histories w where w.person = :person)
 group by h.person order by h.person limit 5)
