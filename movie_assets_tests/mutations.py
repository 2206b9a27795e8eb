"""The GraphQL mutations that the web UI's buttons send."""

BACKFILL = """
mutation ($of: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $of) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }
"""
LAUNCH = """
mutation ($of: ExecutionParams!) { launchRun(executionParams: $of) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }
"""
AGAIN = """
mutation ($of: ReexecutionParams!) { launchRunReexecution(reexecutionParams: $of) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }
"""
TERMINATE = """
mutation ($of: String!) { terminateRun(runId: $of, terminatePolicy: SAFE_TERMINATE) { __typename } }
"""
