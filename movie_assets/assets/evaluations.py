"""How a step records the checks of its asset itself: when it is about to fail, or with its run's own figures.

Checks are functions of their own, so that each can be executed without its asset. They run after the asset in the same
run, and Dagster skips them when the asset's step fails. Such a step evaluates them itself and yields the results.
"""

import dagster as dg


def evaluation_of(context: dg.AssetExecutionContext, result: dg.AssetCheckResult) -> dg.AssetCheckEvaluation:
    """Return a result that names its check as an event that the step of the context's asset can yield."""
    return dg.AssetCheckEvaluation(
        asset_key=context.asset_key,
        check_name=result.check_name or "",
        passed=result.passed,
        metadata=result.metadata,
        severity=result.severity,
        description=result.description,
    )
