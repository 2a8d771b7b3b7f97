use super::*;

fn metrics() -> Metrics {
    Metrics {
        process: Process { started: Timestamp::from_millis(1_800_000_000_250), resident_bytes: None },
        http: Http::default(),
        tails: Tails::default(),
        ingest: Ingest::default(),
        commits: Commits::default(),
        store: Store::default(),
        scans: Scans::default(),
        cache: Cache::default(),
        compaction: Compaction::default(),
        disk: Disk::default(),
    }
}

fn has(metrics: &Metrics, lines: &str) {
    let text = metrics.to_string();
    assert!(format!("\n{text}").contains(&format!("\n{lines}\n")), "{lines} is not in:\n{text}");
}

#[test]
fn a_family_has_its_help_and_type_before_its_samples() {
    let mut metrics = metrics();
    metrics.ingest.accepted = 7;
    has(
        &metrics,
        "# HELP reqlog_records_accepted_total Records stored.\n# TYPE reqlog_records_accepted_total counter\n\
         reqlog_records_accepted_total 7",
    );
    metrics.http.requests[Dialect::Scrip as usize] = [1, 2, 3, 4];
    has(
        &metrics,
        "reqlog_http_requests_total{dialect=\"scrip\",class=\"2xx\"} 1\n\
         reqlog_http_requests_total{dialect=\"scrip\",class=\"3xx\"} 2\n\
         reqlog_http_requests_total{dialect=\"scrip\",class=\"4xx\"} 3\n\
         reqlog_http_requests_total{dialect=\"scrip\",class=\"5xx\"} 4",
    );
    metrics.commits.failures[CommitFailure::Busy as usize] = 9;
    has(&metrics, "reqlog_commit_failures_total{reason=\"busy\"} 9");
    has(&metrics, "process_start_time_seconds 1800000000.25");
}

#[test]
fn buckets_are_cumulative_and_in_seconds() {
    let mut metrics = metrics();
    let latency = &mut metrics.commits.latency;
    (latency.counts[0], latency.counts[2], latency.counts[14], latency.nanos) = (1, 2, 3, 33_250_000_000);
    has(
        &metrics,
        "# TYPE reqlog_commit_duration_seconds histogram\nreqlog_commit_duration_seconds_bucket{le=\"0.0005\"} 1\n\
         reqlog_commit_duration_seconds_bucket{le=\"0.001\"} 1\nreqlog_commit_duration_seconds_bucket{le=\"0.0025\"} 3",
    );
    has(
        &metrics,
        "reqlog_commit_duration_seconds_bucket{le=\"10\"} 3\nreqlog_commit_duration_seconds_bucket{le=\"+Inf\"} 6\n\
         reqlog_commit_duration_seconds_sum 33.25\nreqlog_commit_duration_seconds_count 6",
    );
}

#[test]
fn what_the_system_does_not_tell_is_left_out() {
    let mut metrics = metrics();
    let text = metrics.to_string();
    assert!(!text.contains("disk_free") && !text.contains("ingestion_stopped") && !text.contains("resident"));
    metrics.disk = Disk { free: Some(5), reserve: 6 };
    has(&metrics, "reqlog_ingestion_stopped 1");
    metrics.disk.reserve = 5;
    has(&metrics, "reqlog_ingestion_stopped 0");
    metrics.process.resident_bytes = Some(8);
    has(&metrics, "process_resident_memory_bytes 8");
}

#[test]
fn every_kind_stands_at_its_number() {
    assert!(Dialect::ALL.iter().enumerate().all(|(at, dialect)| *dialect as usize == at));
    assert!(Work::ALL.iter().enumerate().all(|(at, work)| *work as usize == at));
    assert!(CommitFailure::ALL.iter().enumerate().all(|(at, failure)| *failure as usize == at));
}
