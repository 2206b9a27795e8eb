-- Run by reconciliation: the methods as they are stored.
select method_version, is_current, says, parameters from catalog.rating_methods
