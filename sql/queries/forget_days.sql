-- Run by retention: days whose runs were deleted are no longer days of the catalogue.
update pipeline.first_day set day = :before where day < :before
