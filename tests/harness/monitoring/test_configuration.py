from __future__ import annotations

import json

from ruamel.yaml import YAML

from harness.monitoring import configuration as config


def test_one_registry_is_scraped_with_the_labels_that_rules_expect() -> None:
    document = json.loads(config.configuration("primary", "primary.test:5001"))

    (job,) = document["scrape_configs"]
    assert job["job_name"] == "registry"
    assert job["static_configs"] == [
        {"targets": ["primary.test:5001"], "labels": {"registry": "primary"}}
    ]
    assert document["global"]["scrape_interval"] == "500ms"
    assert document["rule_files"] == [config.LAB_RULES_FILE]


def test_rules_of_a_lab_differ_in_how_long_conditions_must_last_and_in_nothing_else() -> None:
    shipped = config.RULES.read_text("utf-8")
    parse = YAML(typ="safe", pure=True).load

    rules = [rule for group in parse(shipped)["groups"] for rule in group["rules"]]
    lab = [rule for group in parse(config.lab_rules(shipped))["groups"] for rule in group["rules"]]

    assert {rule["for"] for rule in lab} == {config.LASTING}
    assert config.LASTING not in {rule["for"] for rule in rules}
    assert [rule | {"for": ""} for rule in lab] == [rule | {"for": ""} for rule in rules]


def test_every_alert_is_tested_both_ways() -> None:
    parse = YAML(typ="safe", pure=True).load
    rules = parse(config.RULES.read_text("utf-8"))
    tests = parse(config.TESTS.read_text("utf-8"))

    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    tried = [
        (each["alertname"], "exp_alerts" in each)
        for test in tests["tests"]
        for each in test["alert_rule_test"]
    ]

    assert {name for name, fires in tried if fires} == alerts
    assert {name for name, fires in tried if not fires} == alerts
