"""Reports and benchmarks: what a policy or a judge does on data whose answers are known."""

from sightline.bench.drift import CategoryDrift, DriftReport, FailureBound, drift_report, failure_bound

__all__ = ["CategoryDrift", "DriftReport", "FailureBound", "drift_report", "failure_bound"]
