-- Run by recommendations for a chunk of people, before their lists are written.
delete from catalog.recommendations r where r.person = any (:people)
