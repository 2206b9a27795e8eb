-- Run by health: the figures that the catalogue is operated by.
select kpi, value, goal, is_met, says from pipeline.kpis_at(:moment)
