"""All names that this project uses from Dagster's private modules, and nothing else.

A release of Dagster may change them. A test compares this list with the imports of the project, and fails when a
release does not have one of the names; `make newest-dagster` runs it with the newest release.
"""

from dagster._core.definitions.asset_selection import KeysAssetSelection, SubtractAssetSelection
from dagster._core.definitions.freshness import FreshnessState, FreshnessStateRecord, TimeWindowFreshnessPolicy
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.definitions.source_asset import SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.events import DagsterEvent, EngineEventData
from dagster._core.execution.api import ExecuteRunWithPlanIterable, execute_run_iterator
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus, PartitionBackfill
from dagster._core.execution.context.system import PlanExecutionContext, PlanOrchestrationContext
from dagster._core.execution.context_creation_job import PlanExecutionContextManager
from dagster._core.execution.plan.execute_plan import inner_plan_execution_iterator
from dagster._core.execution.plan.inputs import StepInput
from dagster._core.execution.plan.instance_concurrency_context import InstanceConcurrencyContext
from dagster._core.execution.plan.outputs import StepOutputHandle
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.plan.state import PastExecutionState
from dagster._core.execution.retries import RetryMode
from dagster._core.execution.step_dependency_config import StepDependencyConfig
from dagster._core.executor.in_process import InProcessExecutor
from dagster._core.remote_origin import CodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, InstigatorTick, TickStatus
from dagster._core.storage.asset_check_execution_record import (
    COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES,
    AssetCheckExecutionRecord,
    AssetCheckExecutionRecordStatus,
)
from dagster._core.storage.compute_log_manager import CapturedLogContext
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, SqlEventLogStorageMetadata
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.root import LocalArtifactStorage
from dagster._core.storage.runs.schema import RunStorageSqlMetadata
from dagster._core.storage.schedules.schema import ScheduleStorageSqlMetadata
from dagster._core.storage.tags import MAX_RETRIES_TAG, USER_TAG
from dagster._core.workspace.load import location_origins_from_yaml_paths
from dagster._serdes import ConfigurableClassData
from dagster._utils.interrupts import pop_captured_interrupt

__all__ = [
    "COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES",
    "MAX_RETRIES_TAG",
    "SINGLETON_REPOSITORY_NAME",
    "SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION",
    "USER_TAG",
    "AssetCheckExecutionRecord",
    "AssetCheckExecutionRecordStatus",
    "AssetCheckExecutionsTable",
    "BulkActionStatus",
    "BulkActionsFilter",
    "CapturedLogContext",
    "CodeLocationOrigin",
    "ConfigurableClassData",
    "DagsterEvent",
    "DagsterExecutionInterruptedError",
    "EngineEventData",
    "ExecuteRunWithPlanIterable",
    "ExecutionPlan",
    "FreshnessState",
    "FreshnessStateRecord",
    "InMemoryJob",
    "InProcessExecutor",
    "InstanceConcurrencyContext",
    "InstigatorState",
    "InstigatorStatus",
    "InstigatorTick",
    "KeysAssetSelection",
    "LocalArtifactStorage",
    "LocalComputeLogManager",
    "PartitionBackfill",
    "PastExecutionState",
    "PlanExecutionContext",
    "PlanExecutionContextManager",
    "PlanOrchestrationContext",
    "RemoteJobOrigin",
    "RemoteRepositoryOrigin",
    "RetryMode",
    "RunStorageSqlMetadata",
    "ScheduleStorageSqlMetadata",
    "SqlEventLogStorage",
    "SqlEventLogStorageMetadata",
    "StepDependencyConfig",
    "StepInput",
    "StepOutputHandle",
    "SubtractAssetSelection",
    "TickStatus",
    "TimeWindowFreshnessPolicy",
    "UnresolvedAssetJobDefinition",
    "execute_run_iterator",
    "inner_plan_execution_iterator",
    "location_origins_from_yaml_paths",
    "pop_captured_interrupt",
]
