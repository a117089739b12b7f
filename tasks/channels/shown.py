"""What people are told, as Prefect tasks."""

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_logger

from blocks.logs import own_lines
from blocks.store.lease import LeaseLost
from tasks.channels import communicate, files, page, public_page, refresh, remind, warn
from tasks.incident import OpenIncident

log = own_lines(get_logger("runbook"))

announce = task(name="announce", task_run_name="announce {state.value}", cache_policy=NO_CACHE)(
    communicate.announce
)
update = task(name="update", task_run_name="update", cache_policy=NO_CACHE)(communicate.update)
page_on_opening = task(name="page", task_run_name="page", cache_policy=NO_CACHE)(page.page_on_opening)
escalate = task(name="escalate", task_run_name="escalate", cache_policy=NO_CACHE)(page.escalate)
tell_of_new_verdict = task(
    name="tell of new verdict", task_run_name="tell of new verdict", cache_policy=NO_CACHE
)(communicate.tell_of_new_verdict)
resolve_absorbed = task(
    name="resolve merged incidents", task_run_name="resolve merged incidents", cache_policy=NO_CACHE
)(communicate.resolve_absorbed)
tell_of_merger = task(name="tell of merger", task_run_name="tell of merger", cache_policy=NO_CACHE)(
    communicate.tell_of_merger
)
hand_over = task(name="hand over", task_run_name="hand over", cache_policy=NO_CACHE)(communicate.hand_over)
resolve_page = task(name="resolve page", task_run_name="resolve page", cache_policy=NO_CACHE)(
    page.resolve_page
)
acknowledge_page = task(
    name="acknowledge page",
    task_run_name="acknowledge page {due.page.id}",
    cache_policy=NO_CACHE,
)(page.acknowledge_page)
warn_of_answers = task(name="warn of answers", task_run_name="warn of answers", cache_policy=NO_CACHE)(
    warn.warn_of_answers
)
remind_of_gate = task(
    name="remind of gate", task_run_name="remind of {notice.gate.gate}", cache_policy=NO_CACHE
)(remind.remind_of_gate)
remind_of_clock = task(
    name="remind of clock", task_run_name="remind of {due.clock.value}", cache_policy=NO_CACHE
)(remind.remind_of_clock)
tell_of_lead = task(name="tell of lead", task_run_name="tell of lead", cache_policy=NO_CACHE)(
    remind.tell_of_lead
)
announce_now = task(name="announce now", task_run_name="announce now", cache_policy=NO_CACHE)(
    communicate.announce_now
)
announce_missed = task(
    name="announce missed", task_run_name="announce in {channel} again", cache_policy=NO_CACHE
)(communicate.announce_missed)
refresh_public = task(name="refresh public page", task_run_name="refresh public page", cache_policy=NO_CACHE)(
    communicate.refresh_public
)
publish_text = task(name="publish text", task_run_name="publish text", cache_policy=NO_CACHE)(
    communicate.publish_text
)
read_public_page = task(name="read public page", task_run_name="read public page", cache_policy=NO_CACHE)(
    public_page.read_public_page
)
refresh_messages = task(name="refresh messages", task_run_name="refresh messages", cache_policy=NO_CACHE)(
    refresh.refresh
)
share_files = task(name="share files", task_run_name="share files", cache_policy=NO_CACHE)(files.share_files)
report_switch = task(name="report switch", task_run_name="report switch {action.id}", cache_policy=NO_CACHE)(
    remind.report_switch
)


async def show_messages(incident: OpenIncident) -> None:
    """Refresh the messages beside the response: what fails there is logged, and the reminders try it again.

    Raises:
        LeaseLost: another process works on the incident now.
    """
    try:
        await refresh_messages(incident)
    except LeaseLost:
        raise
    except Exception as error:  # people are asked and the change is made, whatever a message meets
        log.warning("The messages of %s are not shown as they should be yet: %s", incident.id, error)
