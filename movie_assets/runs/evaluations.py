"""Recording a check's result within the step of its asset: before the step fails, or with figures of its run.

Checks are separate functions, so that each can be executed without its asset. They run after the asset in the same run,
and Dagster skips them when the asset's step fails. Such a step evaluates them itself and yields the results.
"""

import dagster as dg


def evaluation_of(context: dg.AssetExecutionContext, result: dg.AssetCheckResult) -> dg.AssetCheckEvaluation:
    """Return a check's result as an event that the asset's step can yield. The result has the name of its check."""
    return dg.AssetCheckEvaluation(
        asset_key=context.asset_key,
        check_name=result.check_name or "",
        passed=result.passed,
        metadata=result.metadata,
        severity=result.severity,
        description=result.description,
    )


def evaluation_of_step(context: dg.AssetCheckExecutionContext, check: str) -> dg.AssetCheckResult | None:
    """Return the result that the asset's step recorded for a check earlier in the same run; None without one."""
    records = context.instance.get_records_for_run(
        context.run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
    ).records
    evaluations = [each for each in (record.event_log_entry.asset_check_evaluation for record in records) if each]
    evaluation = next((each for each in evaluations if each.check_name == check), None)
    if evaluation is None:
        return None
    return dg.AssetCheckResult(
        passed=evaluation.passed,
        check_name=check,
        severity=evaluation.severity,
        description=evaluation.description,
        metadata=evaluation.metadata,
    )
