-- Run by search_quality: how many vectors a set has, and a name for all that a measurement depends on.
select vectors, content from pipeline.quality_content(:set_id)
