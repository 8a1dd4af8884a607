"""Names the plugins of the acceptance suites; they live in fixtures/."""

pytest_plugins = [
    "fixtures.options",
    "fixtures.lab",
    "fixtures.recorder",
    "fixtures.redaction",
    "fixtures.reporting",
    "fixtures.workload",
    "fixtures.measuring",
    "fixtures.signing",
    "fixtures.caching",
    "fixtures.pods",
    "fixtures.pod_measuring",
    "fixtures.rollouts",
    "fixtures.drill",
    "fixtures.upgrading",
    "fixtures.replication",
]
