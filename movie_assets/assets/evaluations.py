"""How a step records the checks of its asset when it is about to fail.

Checks are functions of their own, so that each can be executed without its asset. They run after the asset in the same
run, and Dagster skips them when the asset's step fails. Such a step evaluates them itself and yields the results.
"""

import dagster as dg


def evaluation_of(
    context: dg.AssetExecutionContext, check: str, result: dg.AssetCheckResult
) -> dg.AssetCheckEvaluation:
    """Return a check's result as an event that the step of the context's asset yields before it fails."""
    return dg.AssetCheckEvaluation(
        asset_key=context.asset_key,
        check_name=check,
        passed=result.passed,
        metadata=result.metadata,
        severity=result.severity,
        description=result.description,
    )
