"""What is to happen where a file of our own cannot be written or read: each row with the tests that play it.

`deployments/degradation.md` holds these rows word for word.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class OwnDiskRow:
    """What trouble with a file of our own leads to. `held_by` are the tests that play it."""

    place: str
    fault: str
    does: str
    seen: str
    setting: str
    held_by: tuple[str, ...]

    @property
    def line(self) -> str:
        """The row of the document's table."""
        return f"| Own disk: {self.place} | {self.fault} | {self.does} | {self.seen} | {self.setting} |"


_ON_DISK = "tests.tasks.test_own_disk"
_STORE_WATCH = "tests.deployments.receiver.test_store_watch"

OWN_DISK_ROWS = (
    OwnDiskRow(
        "evidence folder",
        "full, read-only, not there, hanging for 30 s",
        "Journals it and continues, also with a change that may destroy what was not kept",
        "A message in the thread; the gap in the plan and at the gate; “Could not be written: …” "
        "in the timeline",
        "`evidence.folder`",
        (
            f"{_ON_DISK}.test_evidence_that_cannot_be_written_is_told_once_and_before_the_change",
            f"{_ON_DISK}.test_a_disk_that_hangs_does_not_hold_up_the_response",
            "tests.engine.test_own_disk.test_a_response_goes_on_without_a_place_for_its_files",
        ),
    ),
    OwnDiskRow(
        "evidence folder",
        "full after some files",
        "Seals the files that fit; no partial file is left",
        "The missing files with their reasons, in the manifest, too",
        "`evidence.folder`",
        (f"{_ON_DISK}.test_what_there_is_room_for_is_kept",),
    ),
    OwnDiskRow(
        "paper runbook",
        "full, read-only, not there, hanging for 30 s",
        "Pages the person first, then journals it",
        "The page names `runbook paper …` beside the file's path",
        "`evidence.folder`",
        (
            f"{_ON_DISK}.test_a_paper_runbook_that_cannot_be_written_is_a_note",
            "tests.deployments.receiver.test_paging_without_prefect."
            "test_a_person_is_called_though_the_paper_runbook_cannot_be_written",
        ),
    ),
    OwnDiskRow(
        "post-mortem draft",
        "full, read-only, not there, hanging for 30 s",
        "Closes the incident without it; publishes it in Prefect anyway",
        "The note; the artifact; the flow `draft-postmortem` fails until it can be written",
        "`evidence.folder`",
        (f"{_ON_DISK}.test_a_draft_that_cannot_be_written_does_not_keep_the_incident_open",),
    ),
    OwnDiskRow(
        "incident store",
        "full",
        "Answers 503, which senders repeat; the receiver pages a person after 30 s, and again each hour",
        "`/readyz` 503 with the next step; `runbook_store_writable` 0; the page, which ends with the trouble",
        "`store.url`",
        (
            f"{_STORE_WATCH}.test_trouble_is_told_to_all_and_a_person_is_called_once",
            f"{_STORE_WATCH}.test_what_was_answered_with_202_is_there_after_the_disk_was_full",
            f"{_STORE_WATCH}.test_the_call_goes_out_by_pager_and_channel_without_a_store",
        ),
    ),
    OwnDiskRow(
        "incident store",
        "deleted, another one in its place",
        "The same, in every process that uses it; none makes an empty one while its `.store-id` is there",
        "“its file … is gone”, “the database has changed”, with the file to put back or to delete",
        "`store.url`",
        (
            f"{_STORE_WATCH}.test_trouble_is_told_to_all_and_a_person_is_called_once",
            "tests.blocks.store.test_file.test_a_deleted_file_is_told_and_nothing_is_written_into_it",
            "tests.blocks.store.test_file.test_a_process_that_starts_after_the_deletion_makes_no_empty_store",
            "tests.blocks.store.test_file.test_another_store_in_its_place_is_refused",
            "tests.blocks.store.test_file.test_a_postgresql_database_that_was_swapped_is_refused",
        ),
    ),
    OwnDiskRow(
        "incident store",
        "a copy of it in its place",
        "Continues with the copy: what was written after it was made is missing",
        "“was replaced by a new file: the latest writes may be missing” in the log",
        "`store.url`",
        ("tests.blocks.store.test_file.test_a_copy_that_was_put_in_place_is_taken_and_told",),
    ),
    OwnDiskRow(
        "incident store",
        "its write-ahead log deleted",
        "The process that notices first saves its content; nothing is lost unless somebody wrote before",
        "“was deleted; its content was saved” in the log, or that something may be missing",
        "none",
        (
            "tests.blocks.store.test_file_log.test_a_deleted_log_loses_nothing",
            "tests.blocks.store.test_file_log.test_a_log_that_a_newcomer_has_replaced_is_told",
        ),
    ),
    OwnDiskRow(
        "Prefect's database",
        "full",
        "Keeps the alerts; no run can be started, so the receiver pages a person after 30 s",
        "The page; the incident in `waiting_for_prefect` of `/readyz`; its run starts once there is room",
        "Prefect's own",
        ("tests.engine.test_own_disk.test_a_person_is_called_where_prefects_disk_is_full",),
    ),
    OwnDiskRow(
        "log files and output",
        "full",
        "Continues without them, and ends with the same exit code",
        "“… bytes could not be written here” in the log, once there is room",
        "none",
        (
            "tests.deployments.processes.test_output.test_a_receiver_whose_log_cannot_be_written_takes_alerts",
            "tests.deployments.processes.test_output.test_what_is_lost_is_told_once_there_is_room",
            "tests.deployments.worker.test_worker.test_a_worker_whose_output_cannot_be_written_runs_and_stops",
        ),
    ),
)
