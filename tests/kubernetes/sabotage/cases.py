"""All cases by their names."""

from __future__ import annotations

from tests.kubernetes.sabotage import (
    credential_cases,
    latency_cases,
    path_cases,
    pod_cases,
    policy_cases,
    rollout_cases,
)

CASES = {
    case.name: case
    for module in (
        credential_cases,
        path_cases,
        policy_cases,
        latency_cases,
        rollout_cases,
        pod_cases,
    )
    for case in module.CASES
}
