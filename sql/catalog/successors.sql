-- Applied after the migrations whenever it changes: ids that TMDB deleted, with the ids that replaced them.
create or replace view catalog.successors as
select i.title_id as tmdb_id, i.successor_id, i.gone_since
from pipeline.title_ids i
where i.state = 'gone' and i.successor_id is not null and i.title_id < 1000000000;

create or replace view catalog.title_successors as
select i.title_id, i.successor_id, i.gone_since
from pipeline.title_ids i
where i.state = 'gone' and i.successor_id is not null;
