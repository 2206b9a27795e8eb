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


def evaluation_of_step(context: dg.AssetCheckExecutionContext, check: str) -> dg.AssetCheckResult | None:
    """Return what the step of the asset recorded for a check earlier in the same run; None if it recorded nothing."""
    records = context.instance.get_records_for_run(
        context.run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
    ).records
    evaluations = [each for each in (record.event_log_entry.asset_check_evaluation for record in records) if each]
    found = next((each for each in evaluations if each.check_name == check), None)
    if found is None:
        return None
    return dg.AssetCheckResult(
        passed=found.passed,
        check_name=check,
        severity=found.severity,
        description=found.description,
        metadata=found.metadata,
    )
