-- Run by search_quality: filters that searches are measured with.
select says, filters::text as filters from pipeline.filters_to_measure(:set_id)
