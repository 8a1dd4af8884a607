"""The checkers: pure functions from what was recorded to findings; none means proven.

Each one raises Inconclusive when there is nothing to judge, because missing evidence never
passes.
"""

from harness.checks.access import same_access
from harness.checks.availability import (
    STEADY,
    Figure,
    all_are_ready,
    all_in_service,
    all_were_used,
    comes_back,
    is_steady,
    made_up,
    outage_seconds,
    pull_figures,
    recovery_seconds,
    require_resumed_reads,
)
from harness.checks.budget import error_budget_used
from harness.checks.caching import fetched_once, logged_in, saved_ratio, takes_no_pushes
from harness.checks.certificates import (
    authority_signs,
    has_days_left,
    refuses_anonymous_clients,
)
from harness.checks.configuration import lint_findings
from harness.checks.content import hides, same_content
from harness.checks.garbage import (
    Write,
    did_as_told,
    ended_well,
    garbage_gone,
    has_tags,
    nothing_lost,
    writes_refused,
)
from harness.checks.kubelet import counted, pulled_as_configured, set_up_as_asked
from harness.checks.listings import in_pages, listed_once
from harness.checks.metrics import (
    accounts_for,
    alert_is,
    counted_requests,
    is_scraped,
    only_read,
    stood_still,
    tool_agrees,
    wrote,
)
from harness.checks.operations import (
    all_ended_well,
    failed_by,
    failed_ratio,
    held,
    interrupted,
    none_accepted,
    wrong_digests,
)
from harness.checks.path import (
    asked,
    asked_in_vain,
    names_origin,
    not_asked,
    not_fetched,
    not_served_by,
    refused_by,
    served_by,
    served_to_user,
)
from harness.checks.pods import (
    already_present,
    answered,
    has_event,
    in_case,
    secret_refused,
    told_by_events,
    waited_with,
)
from harness.checks.pulls import all_refused, all_succeeded, is_image
from harness.checks.registries import keeps_tls, runtime_ready, stays_put
from harness.checks.replication import (
    REPLICATE,
    all_arrived,
    is_deleted,
    lags,
    same_inventory,
    verified,
)
from harness.checks.rollouts import fits_volume, on_every_node, rolled_out, stopped
from harness.checks.signatures import attached, refused, signed
from harness.checks.upgrades import (
    dropped_options,
    ignored_by_default,
    same_entrance,
    same_served,
    still_served,
)
from harness.checks.uploads import stuck_uploads

__all__ = [
    "REPLICATE",
    "STEADY",
    "Figure",
    "Write",
    "accounts_for",
    "alert_is",
    "all_are_ready",
    "all_arrived",
    "all_ended_well",
    "all_in_service",
    "all_refused",
    "all_succeeded",
    "all_were_used",
    "already_present",
    "answered",
    "asked",
    "asked_in_vain",
    "attached",
    "authority_signs",
    "comes_back",
    "counted",
    "counted_requests",
    "did_as_told",
    "dropped_options",
    "ended_well",
    "error_budget_used",
    "failed_by",
    "failed_ratio",
    "fetched_once",
    "fits_volume",
    "garbage_gone",
    "has_days_left",
    "has_event",
    "has_tags",
    "held",
    "hides",
    "ignored_by_default",
    "in_case",
    "in_pages",
    "interrupted",
    "is_deleted",
    "is_image",
    "is_scraped",
    "is_steady",
    "keeps_tls",
    "lags",
    "lint_findings",
    "listed_once",
    "logged_in",
    "made_up",
    "names_origin",
    "none_accepted",
    "not_asked",
    "not_fetched",
    "not_served_by",
    "nothing_lost",
    "on_every_node",
    "only_read",
    "outage_seconds",
    "pull_figures",
    "pulled_as_configured",
    "recovery_seconds",
    "refused",
    "refused_by",
    "refuses_anonymous_clients",
    "require_resumed_reads",
    "rolled_out",
    "runtime_ready",
    "same_access",
    "same_content",
    "same_entrance",
    "same_inventory",
    "same_served",
    "saved_ratio",
    "secret_refused",
    "served_by",
    "served_to_user",
    "set_up_as_asked",
    "signed",
    "stays_put",
    "still_served",
    "stood_still",
    "stopped",
    "stuck_uploads",
    "takes_no_pushes",
    "told_by_events",
    "tool_agrees",
    "verified",
    "waited_with",
    "writes_refused",
    "wrong_digests",
    "wrote",
]
